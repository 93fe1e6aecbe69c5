import Glibc
import Problems

/// Why standard output takes nothing more.
package enum OutputFailure: Error, Equatable, Sendable {
  /// It was closed before the program began, or is not open for writing.
  case closed
  /// Nobody reads the other end of the pipe any more: no error to tell of, the reader has had enough.
  case readerGone
  /// The disk, or a device like `/dev/full`, has no room.
  case full
  /// Any other code of errno.
  case system(Int32)

  /// What a failed write(2) left in errno.
  package init(code: Int32) {
    self =
      switch code {
      case EBADF: .closed
      case EPIPE: .readerGone
      case ENOSPC: .full
      default: .system(code)
      }
  }

  /// The exit code of input and output that failed.
  package static let exitCode = ExitCode.inputOutput.rawValue

  /// What the user is told; nil where nothing is to be said.
  package var problem: Problem? {
    let got: (String, hint: String?)? =
      switch self {
      case .closed: ("a closed one", "redirect it to a file, or to /dev/null where nobody is to read it")
      case .readerGone: nil
      case .full: ("a full disk or device", "make room, or send it elsewhere")
      case .system(EDQUOT): ("a disk quota that is used up", "make room, or send it elsewhere")
      case .system(EFBIG): ("a limit on the size of files", "raise it with ulimit -f, or send it elsewhere")
      case .system(let code): (String(cString: strerror(code)), nil)
      }
    return got.map {
      Problem(
        .inputOutput, "cannot write standard output — expected a file, pipe or terminal that takes it, got \($0.0)",
        hint: $0.hint)
    }
  }
}
