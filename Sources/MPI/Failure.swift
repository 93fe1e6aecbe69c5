import Glibc

/// How a run ends when an error reaches its top: the text for stderr, `error: ` included, and the exit code.
public struct Failure: Error, Hashable, Sendable {
  /// One line that begins `error: `, and where it helps a second one that begins `hint: `; empty where nobody need be told.
  public let message: String

  /// The exit code of the process.
  public let exitCode: Int32

  /// A message and an exit code.
  public init(message: String, exitCode: Int32) {
    self.message = message
    self.exitCode = exitCode
  }

  /// A `Failure` is itself; any other error gives its own words and exit code 70, internal error.
  public init(describing error: any Error) {
    self = error as? Failure ?? Failure(message: "error: \(error)", exitCode: 70)
  }
}

extension Failure {
  /// Writes the message to stderr in one piece, so that the lines of ranks do not mix. Only ranks other than 0 name
  /// themselves. What was printed before is flushed first: MPI_Abort does not do it.
  func report(rank: Int, size: Int) {
    fflush(nil)
    if message.isEmpty { return }
    let text = (rank == 0 ? "" : "[rank \(rank)/\(size)] ") + message + "\n"
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
