@preconcurrency import Glibc
import Synchronization

/// The standard output of the program. Everything that a command prints goes through it, unbuffered, so that a write that
/// fails is known: the command then ends with exit code 74, on all ranks.
package enum StandardOutput {
  fileprivate struct State {
    let target = OutputTarget()
    let wasTerminal = isatty(STDOUT_FILENO) == 1
    var failure: OutputFailure?
    var writtenBytes = 0
    /// What is printed to a terminal that was closed is lost; SIGHUP tells of it, so it is no failure.
    var isHungUp = false
  }
  private static let state = Mutex(State())

  /// Calls first of all: gives descriptors 0 to 2 that are closed a meaning, so that no file that is opened later is taken for
  /// one of them, and makes a closed pipe an error instead of a signal.
  package static func prepare() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
      // The lowest free descriptor is this one. A write to it must fail but for stderr, where nothing can be told.
      _ = open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY)
    }
    signal(SIGPIPE, SIG_IGN)
    // Where mpirun's file stands now is what its later position is compared with.
    state.withLock { _ in }
  }

  /// Whether a person looks at it, so that a line may be rewritten.
  package static var isTerminal: Bool { Launcher.outputIsTerminal ?? state.withLock { $0.target.isTerminal } }

  /// Why it takes nothing more, as far as can be known without a further write; nil while it does. To be asked before the
  /// end too: under mpirun what was printed last may not have come out.
  package static var failure: OutputFailure? {
    state.withLock {
      $0.look()
      return $0.failure
    }
  }

  /// Whether it had failed when something was last printed, or asked. Costs nothing, so that a training can ask often.
  package static var hasFailed: Bool { state.withLock { $0.failure != nil } }

  /// Prints a text. Does nothing once it has failed.
  package static func print(_ text: String, terminator: String = "\n") {
    let bytes = Array((text + terminator).utf8)
    state.withLock { state in
      for start in stride(from: 0, to: bytes.count, by: 1 << 16) {
        state.write(bytes[start..<min(start + 1 << 16, bytes.count)])
      }
    }
  }
}

extension StandardOutput.State {
  mutating func look() {
    guard failure == nil else { return }
    failure = target.failure ?? (target.hasLost(ofBytes: writtenBytes) ? .full : nil)
  }

  mutating func write(_ bytes: ArraySlice<UInt8>) {
    look()
    var rest = bytes
    while failure == nil, !isHungUp, !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
        writtenBytes += count
      } else if errno == EAGAIN {
        var ready = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        poll(&ready, 1, -1)
      } else if errno == EIO, wasTerminal {
        isHungUp = true
      } else if errno != EINTR {
        failure = OutputFailure(code: errno)
      }
    }
  }
}
