import Glibc
import Launching
import Testing

@Suite struct OutputFailureTests {
  @Test func onlyAReaderWhoHasHadEnoughIsPassedOverInSilence() {
    #expect(OutputFailure(code: EPIPE).problem == nil)
    for (code, word) in [
      (ENOSPC, "a full disk"), (EDQUOT, "quota"), (EFBIG, "ulimit"), (EBADF, "closed"), (EIO, "error"),
    ] {
      let problem = OutputFailure(code: code).problem
      let text = [problem?.message, problem?.hint].compactMap(\.self).joined(separator: " ")
      #expect(text.contains(word), "\(code)")
    }
  }
}
