/// What ends a command or a run: one sentence of the form `<what> — expected <x>, got <y> (<file, tensor or rank>)`, a
/// hint where one helps, and the exit code. The only error type of this program's own modules; only `MPI`, which would
/// serve any program, has another one.
package struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
  /// The sentence that follows `error: `.
  package let message: String
  /// The sentence that follows `hint: `, where there is one.
  package let hint: String?
  /// How the process ends.
  package let exit: ExitCode

  /// `exit` as the system takes it.
  package var exitCode: Int32 { exit.rawValue }

  /// The message, and the hint on a line of its own.
  package var description: String { hint.map { "\(message)\nhint: \($0)" } ?? message }

  /// A problem whose sentence is made of its parts.
  package init(_ exit: ExitCode, _ what: String, expected: String, got: String, at place: String, hint: String? = nil) {
    self.init(exit, "\(what) — expected \(expected), got \(got) (\(place))", hint: hint)
  }

  /// A problem in a sentence.
  package init(_ exit: ExitCode, _ message: String, hint: String? = nil) {
    (self.exit, self.message, self.hint) = (exit, message, hint)
  }

  /// A text, table or sound that is empty, too short, or not what its kind needs.
  package static func data(_ message: String, hint: String? = nil) -> Problem { Problem(.badData, message, hint: hint) }

  /// A file that is missing, unreadable, or not a file.
  package static func file(_ message: String, hint: String? = nil) -> Problem {
    Problem(.inputOutput, message, hint: hint)
  }

  /// A setting that cannot work.
  package static func configuration(_ message: String, hint: String? = nil) -> Problem {
    Problem(.badConfiguration, message, hint: hint)
  }
}
