import TestSupport
import Testing

extension Workspace {
  /// Runs a command that must be refused, alone and on 3 ranks: one line of error with all of `words` in it, a hint
  /// with `hint` where one is given, the exit code, nothing on stdout (unless it `announces` what it tries), and every
  /// file and directory as it was before.
  func expectRefusal(
    _ arguments: [String], exitCode: Int32, _ words: [String], hint: String? = nil, ranks: [Int?] = [nil, 3],
    announces: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try contents()
    for ranks in ranks {
      let outcome = try program(arguments, ranks: ranks)
      let (what, errors) = ("\(arguments) on \(ranks ?? 1): \(outcome)", outcome.errorLines)
      #expect(outcome.exitCode == exitCode, "\(what)", sourceLocation: sourceLocation)
      #expect(errors.count == 1, "\(what)", sourceLocation: sourceLocation)
      for word in words {
        #expect(errors.first?.contains(word) == true, "\(word): \(what)", sourceLocation: sourceLocation)
      }
      if let hint {
        let hints = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("hint: ") }
        #expect(hints.count == 1 && hints[0].contains(hint), "\(hint): \(what)", sourceLocation: sourceLocation)
      }
      #expect(outcome.output.isEmpty || announces, "\(what)", sourceLocation: sourceLocation)
      #expect(try contents() == before, "\(what)", sourceLocation: sourceLocation)
    }
  }
}
