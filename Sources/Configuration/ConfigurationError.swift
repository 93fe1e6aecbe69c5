/// A configuration that cannot be used: what was wrong and where, the exit code of the program, and what to change.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  /// What was wrong, in the form "what — expected x, got y (where)".
  public let message: String
  /// What to change, where that is known.
  public let hint: String?
  /// 78 for a bad configuration, 74 for a file that cannot be read.
  public let exitCode: Int32

  init(_ message: String, hint: String? = nil, exitCode: Int32 = 78) {
    (self.message, self.hint, self.exitCode) = (message, hint, exitCode)
  }

  /// The message, and the hint on a line of its own.
  public var description: String {
    if let hint { "error: \(message)\nhint: \(hint)" } else { "error: \(message)" }
  }
}
