import Configuration
import Tasks
import TestSupport
import Testing

/// `HeldOutRule.swift`: from keys to the rule by which labelled sequences are held out.
struct HeldOutRuleTests {
  private func rule(_ keys: String) throws -> String {
    let configuration = try Configuration(yaml: "task: tagging\ndata: {path: nowhere\(keys)}", name: "test")
    let rule = try configuration.data.heldOutRule()
    return switch rule {
    case .none: "none"
    case .share(let share): "share \(share)"
    case .fold(let index, let count): "fold \(index) of \(count)"
    case .names(let patterns): "names \(patterns.map(\.text))"
    case .path(let path): "path \(path)"
    }
  }

  @Test(arguments: [
    ("", "share 0.1"), (", validation: 0.25", "share 0.25"), (", validation: 0", "none"),
    (", validation: other.conll", "path other.conll"), (", folds: 5", "fold 0 of 5"),
    (", folds: 5, fold: 3", "fold 3 of 5"), (", heldOut: 'a*|b/*'", #"names ["a*", "b/*"]"#),
  ])
  func keysAreOneRule(keys: String, expected: String) throws {
    #expect(try rule(keys) == expected)
  }

  @Test func aPatternThatIsNoneIsRefused() {
    #expect(failure { _ = try rule(", heldOut: 'a*|b//c'") }?.exitCode == 78)
  }
}
