/// What came of one kind of fault.
struct Row {
  /// What was done.
  let kind: String
  private(set) var trials = 0
  private(set) var passed = 0
  /// What was seen beside passing, in the order in which it was first counted.
  private var seen: [(what: String, times: Int)] = []
  /// What went wrong, a line for each trial that did not pass.
  private(set) var failures: [String] = []
  private var obstacle: String?

  init(_ kind: String) { self.kind = kind }

  /// A row of which this machine can do nothing.
  init(_ kind: String, skippedBecause obstacle: String) {
    self.kind = kind
    self.obstacle = obstacle
  }

  var isPassed: Bool { passed == trials && (trials > 0 || obstacle != nil) }

  /// Counts a trial, which passed if nothing is wrong with it.
  mutating func add(_ problems: [String]) {
    trials += 1
    if problems.isEmpty { passed += 1 } else { failures.append(problems.joined(separator: "; ")) }
  }

  /// Counts many trials of one kind at once.
  mutating func add(trials count: Int, _ problems: [String]) {
    trials += count
    if problems.isEmpty { passed += count }
    failures += problems
  }

  mutating func saw(_ what: String, times: Int = 1) {
    if let place = seen.firstIndex(where: { $0.what == what }) {
      seen[place].times += times
    } else {
      seen.append((what, times))
    }
  }

  private var note: String {
    obstacle.map { "skipped: \($0)" } ?? seen.map { "\($0.times) \($0.what)" }.joined(separator: ", ")
  }

  /// The rows in columns, under a heading.
  static func table(_ rows: [Row]) -> String {
    let width = rows.map(\.kind.count).max() ?? 0
    func right(_ text: String, _ width: Int) -> String { String(repeating: " ", count: width - text.count) + text }
    func line(_ kind: String, _ trials: String, _ passed: String, _ note: String) -> String {
      kind + String(repeating: " ", count: width - kind.count) + right(trials, 8) + right(passed, 8) + "  " + note
    }
    return
      ([line("fault", "trials", "passed", "seen")]
      + rows.map { line($0.kind, "\($0.trials)", "\($0.passed)", $0.note) }).joined(separator: "\n")
  }
}
