/// What went wrong with a file, a checkpoint or a run directory: one sentence of the form
/// `<what> — expected <x>, got <y> (<file, tensor>)`, a hint where one helps, and the exit code that it leads to.
public struct CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kinds of failure; the raw value is the exit code.
  public enum Kind: Int32, Sendable {
    /// The content of a file is not what it should be.
    case badData = 65
    /// A file is missing or unreadable, or the system refused to write it.
    case inputOutput = 74
    /// A value to be saved is infinite or not a number.
    case diverged = 76
  }

  /// What kind of failure this is.
  public let kind: Kind
  /// The sentence that follows `error: `.
  public let message: String
  /// The sentence that follows `hint: `, where there is one.
  public let hint: String?

  /// The exit code of a program that ends because of this error.
  public var exitCode: Int32 { kind.rawValue }

  /// The message, and the hint on a line of its own.
  public var description: String { hint.map { "\(message)\nhint: \($0)" } ?? message }

  /// An error whose sentence is made of its parts.
  public init(_ kind: Kind, _ what: String, expected: String, got: String, at place: String, hint: String? = nil) {
    self.kind = kind
    message = "\(what) — expected \(expected), got \(got) (\(place))"
    self.hint = hint
  }

  /// Any error as one of these: what is not one already is a failure of input or output.
  init(describing error: any Error) {
    self =
      error as? CheckpointError
      ?? CheckpointError(.inputOutput, "checkpoint failed", expected: "success", got: "\(error)", at: "checkpoints")
  }

  /// What could not be done because the system refused it: `code` is its errno.
  public init(_ what: String, code: Int32, at place: Place) {
    let refusal = Refusal(code)
    self.init(
      .inputOutput, what, expected: refusal.expected, got: refusal.got, at: "\(place)", hint: refusal.hint)
  }
}

/// Text of foreign origin, fit for one line of an error: in quotation marks, control characters as `\u{…}`, cut where
/// it is longer than 60 characters.
func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars.prefix(60) {
    if scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}" {
      result += "\\u{\(String(scalar.value, radix: 16))}"
    } else {
      result.unicodeScalars.append(scalar)
    }
  }
  return result + (text.unicodeScalars.count > 60 ? "…\"" : "\"")
}

/// `count` things in words: "1 byte", "2 bytes".
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
