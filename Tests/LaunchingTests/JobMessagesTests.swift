import Launching
import Testing

/// Texts as Open MPI 4.1.4 wrote them.
@Suite struct JobMessagesTests {
  private static let dashes = String(repeating: "-", count: 74)
  private static let killed = """
    \(dashes)
    Primary job  terminated normally, but 1 process returned
    a non-zero exit code. Per user-direction, the job has been aborted.
    \(dashes)
    \(dashes)
    mpirun noticed that process rank 2 with PID 0 on node vm exited on signal 9 (Killed).
    \(dashes)

    """
  private static let aborted = """
    error: unknown key a — expected a known key, got a (--set)
    hint: did you mean b?
    \(dashes)
    MPI_ABORT was invoked on rank 0 in communicator MPI_COMM_WORLD
    with errorcode 78.

    NOTE: invoking MPI_ABORT causes Open MPI to kill all MPI processes.
    You may or may not see output from other processes, depending on
    exactly when Open MPI kills them.
    \(dashes)
    [vm:4711] 2 more processes have sent help message help-mpi-api.txt / mpi-abort
    [vm:4711] Set MCA parameter "orte_base_help_aggregate" to 0 to see all help / error messages

    """
  private static let slots = """
    \(dashes)
    There are not enough slots available in the system to satisfy the 5
    slots that were requested by the application:

      ./lstm-dist

    Either request fewer slots for your application, or make more slots
    available for use.
    \(dashes)

    """
  private static let host = """
    ssh: Could not resolve hostname nowhere: Name or service not known
    \(dashes)
    ORTE was unable to reliably start one or more daemons.
    This usually is caused by:

    * not finding the required libraries and/or binaries on
      one or more nodes. Please check your PATH and LD_LIBRARY_PATH
    \(dashes)

    """

  /// What is shown, and the messages then, of a text that comes in pieces of so many bytes.
  private func read(_ text: String, pieces: Int = 7) -> (shown: String, messages: JobMessages) {
    var messages = JobMessages(mpirun: 4711)
    var shown: [UInt8] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      shown += messages.take(bytes[start..<min(start + pieces, bytes.count)])
    }
    shown += messages.finish()
    return (String(decoding: shown, as: UTF8.self), messages)
  }

  @Test(arguments: [1, 7, 10_000])
  func ourErrorIsShownAndBoxesAreNot(pieces: Int) {
    let (shown, messages) = read(Self.aborted, pieces: pieces)
    #expect(shown == "error: unknown key a — expected a known key, got a (--set)\nhint: did you mean b?\n")
    #expect(messages.ending(exitCode: 78).exitCode == 78 && messages.ending(exitCode: 78).problem == nil)
  }

  @Test func aKilledRankIsNamed() {
    let (shown, messages) = read(Self.killed)
    let ending = messages.ending(exitCode: 137)
    #expect(shown == "" && ending.exitCode == 77)
    #expect(
      ending.problem?.message == "rank 2 was killed by SIGKILL — expected a running process, got none (host vm)")
  }

  @Test func anErrorOfOursIsTheOnlyOne() {
    let own = "[rank 1/3] error: a rank has died — expected a running process, got none\n"
    let (shown, messages) = read(own + Self.killed)
    #expect(shown == own)
    #expect(messages.ending(exitCode: 137).exitCode == 77 && messages.ending(exitCode: 137).problem == nil)
  }

  /// An mpirun that is killed says no more than this.
  @Test func aBoxThatIsStillOpenAtTheEndIsRead() {
    for closing in [Self.dashes + "\n", "\n" + Self.dashes + "\n"] {
      let open = String(Self.killed.dropLast(closing.count))
      let (shown, messages) = read(open)
      #expect(
        shown == "" && messages.ending(exitCode: 137).problem?.message.hasPrefix("rank 2 was killed by SIGKILL") == true
      )
    }
  }

  @Test func tooFewSlotsAreAMatterOfConfiguration() {
    let (shown, messages) = read(Self.slots)
    let ending = messages.ending(exitCode: 1)
    #expect(shown == "" && ending.exitCode == 78 && ending.problem?.hint?.contains("slots=N") == true)
    #expect(
      ending.problem?.message.hasSuffix(
        "There are not enough slots available in the system to satisfy the 5 slots that were requested by the application"
      )
        == true)
  }

  @Test func aHostThatCannotBeReachedIsALoss() {
    let (shown, messages) = read(Self.host)
    let ending = messages.ending(exitCode: 1)
    #expect(shown == "ssh: Could not resolve hostname nowhere: Name or service not known\n" && ending.exitCode == 77)
    #expect(ending.problem?.message.hasSuffix("ORTE was unable to reliably start one or more daemons") == true)
  }

  @Test func anEndWithoutAWordIsToldOf() {
    #expect(read("").messages.ending(exitCode: 1).problem?.message.hasSuffix("exit code 1 without a message") == true)
    #expect(read("").messages.ending(exitCode: 0).problem == nil)
    #expect(read("").messages.ending(exitCode: 75).problem == nil)
  }

  @Test func whatARankSaysPassesEvenInABox() {
    let text = "\(Self.dashes)\nwarning: a\nbox\n[vm:99] trace of a rank\n\(Self.dashes)\n[vm:99] trace\nplain\nrest"
    #expect(read(text).shown == "warning: a\n[vm:99] trace\nplain\nrest")
  }

  @Test func theSignOfReadinessIsForTheLauncher() {
    let (shown, messages) = read("warning: a\n\(Launcher.readyLine)\nwarning: b\n")
    #expect(shown == "warning: a\nwarning: b\n" && messages.isReady && !read("warning: a\n").messages.isReady)
  }
}
