/// Data that cannot be trained on, or a plan that cannot be made: what happened, the exit code of the program, and
/// what the user can change.
public struct SequenceError: Error, Equatable, CustomStringConvertible {
  /// What was wrong, in the form "what — expected x, got y (file)".
  public let message: String
  /// What to change, where that is known.
  public let hint: String?
  /// 65 bad data, 70 no memory, 74 input/output, 78 bad configuration.
  public let exitCode: Int32

  /// Text that is empty, too short, or not what its token kind needs.
  static func data(_ message: String, hint: String? = nil) -> SequenceError {
    SequenceError(message: message, hint: hint, exitCode: 65)
  }

  /// A file that is missing, unreadable, or not a file.
  static func file(_ message: String, hint: String? = nil) -> SequenceError {
    SequenceError(message: message, hint: hint, exitCode: 74)
  }

  /// A setting that cannot work.
  static func configuration(_ message: String, hint: String? = nil) -> SequenceError {
    SequenceError(message: message, hint: hint, exitCode: 78)
  }

  /// The message, and the hint on a line of its own.
  public var description: String {
    if let hint { "error: \(message)\nhint: \(hint)" } else { "error: \(message)" }
  }
}
