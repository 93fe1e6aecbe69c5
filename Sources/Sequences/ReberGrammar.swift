import ExactMath
import Glibc

/// The embedded Reber grammar of Hochreiter and Schmidhuber, "Long Short-Term Memory" (Neural Computation 9(8), 1997),
/// section 5.1, over the symbols B T P S X V E:
///
///     embedded string = B T (Reber string) T E   or   B P (Reber string) P E
///
///     Reber string    = B ┬ T ─ 2        2 ┬ S ─ 2        3 ┬ T ─ 3        4 ┬ X ─ 3        5 ┬ P ─ 4        6 ─ E
///                         └ P ─ 3          └ X ─ 4          └ V ─ 5          └ S ─ 6          └ V ─ 6
///
/// where each of two branches is taken with probability ½. To predict the last T or P, a network must keep the second
/// symbol through a Reber string of any length: the long time lag that the task is for.
///
/// No state has two branches of one symbol, so a prefix determines its state, and the grammar's entropy is exact: a
/// string takes 7 bits and has 12 symbols on average, which makes 7·ln 2 / 11 = 0.441 nats a predicted symbol.
package enum ReberGrammar {
  /// The symbols in the order of their token numbers.
  package static let symbols = "BTPSXVE"
  /// The shortest string, such as BTBPVVETE, has this many symbols.
  package static let shortestLength = 9

  /// One branch: the symbol and the state behind it.
  struct Branch {
    let symbol: Int32
    let next: Int
  }

  /// The branches of each state; the last state, which has none, accepts.
  static let states: [[Branch]] = makeStates()

  private static func makeStates() -> [[Branch]] {
    let numbers = Dictionary(uniqueKeysWithValues: zip(symbols, Int32(0)...))
    func state(_ branches: (Character, Int)...) -> [Branch] {
      branches.map { Branch(symbol: numbers[$0.0]!, next: $0.1) }
    }
    /// The Reber grammar in states `first` ... `first` + 6, and behind it the outer symbol.
    func embedded(_ first: Int, outer: Character, end: Int) -> [[Branch]] {
      [
        state(("B", first + 1)),
        state(("T", first + 2), ("P", first + 3)),
        state(("S", first + 2), ("X", first + 4)),
        state(("T", first + 3), ("V", first + 5)),
        state(("X", first + 3), ("S", first + 6)),
        state(("P", first + 4), ("V", first + 6)),
        state(("E", first + 7)),
        state((outer, end)),
      ]
    }
    return [state(("B", 1)), state(("T", 2), ("P", 10))]
      + embedded(2, outer: "T", end: 18) + embedded(10, outer: "P", end: 18)
      + [state(("E", 19)), []]
  }

  // MARK: Strings

  /// A string drawn from the grammar.
  package static func generate(_ draws: inout PhiloxSequence) -> [Int32] {
    var string: [Int32] = []
    var state = 0
    while !states[state].isEmpty {
      let branches = states[state]
      let branch = branches.count == 1 ? branches[0] : branches[draws.below(branches.count)]
      string.append(branch.symbol)
      state = branch.next
    }
    return string
  }

  /// The symbols that may follow a prefix, ascending: none behind a whole string, nil behind an illegal prefix.
  package static func legalNext(after prefix: some Sequence<Int32>) -> [Int32]? {
    state(after: prefix).map { states[$0].map(\.symbol).sorted() }
  }

  /// For each place t of a legal string but its last, the symbols that may stand at t + 1: the truth beside a network's
  /// prediction. Nil for an illegal string.
  package static func legalTargets(of string: [Int32]) -> [[Int32]]? {
    guard isLegal(string) else { return nil }
    var state = 0
    return string.dropLast().map { symbol in
      state = next(state, symbol)!
      return states[state].map(\.symbol).sorted()
    }
  }

  /// True for a whole string of the grammar.
  package static func isLegal(_ string: some Sequence<Int32>) -> Bool {
    state(after: string).map { states[$0].isEmpty } ?? false
  }

  /// The natural logarithm of a string's probability, −infinity for an illegal one. The first symbol is always B, so
  /// this is also the log-probability of all its targets.
  package static func logProbability(of string: [Int32]) -> Double {
    guard isLegal(string) else { return -.infinity }
    var state = 0
    var choices = 0
    for symbol in string {
      choices += states[state].count == 2 ? 1 : 0
      state = next(state, symbol)!
    }
    return -Double(choices) * log(2)
  }

  private static func next(_ state: Int, _ symbol: Int32) -> Int? {
    states[state].first { $0.symbol == symbol }?.next
  }

  private static func state(after prefix: some Sequence<Int32>) -> Int? {
    var state = 0
    for symbol in prefix {
      guard let following = next(state, symbol) else { return nil }
      state = following
    }
    return state
  }

  // MARK: Exact expectations

  /// The entropy of a string, in nats: 7·ln 2.
  package static let entropyPerString = expectation { log(Double(states[$0].count)) }
  /// The mean length of a string: 12 symbols.
  package static let meanLength = expectation { _ in 1 }
  /// The lowest mean loss that any model can reach on fresh strings, in nats a target: 7·ln 2 / 11.
  package static let entropyPerTarget = entropyPerString / (meanLength - 1)

  /// The expected sum of `value` over the states that a string leaves: the solution of
  /// e[s] = value(s) + mean of e[next], by repeated substitution. The loops of the grammar end with probability ½ at
  /// every pass, so 400 rounds leave nothing that a Double can hold.
  private static func expectation(_ value: (Int) -> Double) -> Double {
    var expected = [Double](repeating: 0, count: states.count)
    for _ in 0..<400 {
      for (index, branches) in states.enumerated() where !branches.isEmpty {
        let following = branches.reduce(0) { $0 + expected[$1.next] } / Double(branches.count)
        expected[index] = value(index) + following
      }
    }
    return expected[0]
  }

  // MARK: The paper's criterion

  /// True if the most likely symbols are exactly the legal ones: every legal symbol's logit is above every other one's.
  /// A tie between a legal and an illegal symbol is a failure, and so is a logit that is not a number.
  package static func mostLikelyAreLegal(logits: UnsafeBufferPointer<Float>, legal: [Int32]) -> Bool {
    var lowestLegal = Float.infinity
    var highestIllegal = -Float.infinity
    for (symbol, logit) in logits.enumerated() {
      if logit.isNaN { return false }
      if legal.contains(Int32(symbol)) {
        lowestLegal = min(lowestLegal, logit)
      } else {
        highestIllegal = max(highestIllegal, logit)
      }
    }
    return lowestLegal > highestIllegal
  }
}
