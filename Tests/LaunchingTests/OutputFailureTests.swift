import Glibc
import Launching
import Testing

@Suite struct OutputFailureTests {
  @Test func onlyAReaderWhoHasHadEnoughIsPassedOverInSilence() {
    #expect(OutputFailure(code: EPIPE).message == nil)
    for (code, word) in [
      (ENOSPC, "a full disk"), (EDQUOT, "quota"), (EFBIG, "ulimit"), (EBADF, "closed"), (EIO, "error"),
    ] {
      let message = OutputFailure(code: code).message
      let text = [message?.text, message?.hint].compactMap(\.self).joined(separator: " ")
      #expect(text.contains(word), "\(code)")
    }
  }
}
