import Glibc

/// An error that carries the message and the exit code with which it ends the job.
public protocol JobError: Error {
  /// The text behind `error: `.
  var message: String { get }
  /// The text behind `hint: `; nil for no such line.
  var hint: String? { get }
  /// The exit code of the job.
  var exitCode: Int32 { get }
}

/// How an error ends the job: what is written to stderr, and the exit code.
public struct Failure: JobError, Hashable, Sendable {
  /// The text behind `error: `; empty if the job ends without a message.
  public let message: String

  /// The text behind `hint: `; nil for no such line.
  public let hint: String?

  /// The exit code of the job.
  public let exitCode: Int32

  /// An error of the program that uses this module, e.g.
  /// `Failure("corpus.txt: line 7 — expected a number, got text", exitCode: 65)`.
  public init(_ message: String, hint: String? = nil, exitCode: Int32) {
    (self.message, self.hint, self.exitCode) = (message, hint, exitCode)
  }

  /// A `JobError` keeps its message, hint and exit code; any other error gives its description and exit code 70
  /// (internal error).
  public init(describing error: any Error) {
    if let error = error as? any JobError {
      self.init(error.message, hint: error.hint, exitCode: error.exitCode)
    } else {
      self.init("\(error)", exitCode: 70)
    }
  }

  /// What is written to stderr: a line that begins `error: ` and, if there is a hint, another that begins `hint: `.
  public var text: String { "error: \(message)" + (hint.map { "\nhint: \($0)" } ?? "") }
}

extension Failure {
  /// Writes the message to stderr in one piece, so that the lines of ranks do not mix. Only ranks other than 0 name
  /// themselves. What was printed before is flushed first: MPI_Abort does not do it.
  func report(rank: Int, size: Int) {
    fflush(nil)
    if message.isEmpty { return }
    let text = (rank == 0 ? "" : "[rank \(rank)/\(size)] ") + text + "\n"
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if written < 0 && errno == EINTR { continue }
      if written <= 0 { return }
      rest = rest.dropFirst(written)
    }
  }

  /// Makes the launcher's SIGTERM end this process at once, whatever handler the program has installed: a rank that
  /// waits for its end must not run into a second message or an orderly shutdown.
  static func acceptTermination() {
    signal(SIGTERM, SIG_DFL)
    var terminate = sigset_t()
    sigemptyset(&terminate)
    sigaddset(&terminate, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &terminate, nil)
  }
}
