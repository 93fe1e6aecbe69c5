import ExactMath
import Problems

/// Copying a symbol over a long lag: experiment 2 of Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural
/// Computation 9 (1997), section 5.2. The first symbol, x or y with probability ½ each, comes back as the last one.
///
/// * Task 2a, no noise: (y, a₁, a₂, …, a_{p−1}, y) or the same with x. p + 1 symbols; every next one is to be
///   predicted.
/// * Task 2b, no local regularities: the p − 1 symbols between are drawn from a₁ … a_{p−1}.
/// * Task 2c, very long lags: (b, y, a…, e, y) or the same with x, with q + k symbols drawn from a₁ … a_p between, k
///   having probability (1/10)·(9/10)ᵏ, and no more than 250: the length is at least q + 4, on average q + 13.
///   p + 4 symbols; only the last, behind the trigger e, is to be predicted.
///
/// The paper's p is up to 100 in 2a and 2b; in 2c, q is 50 to 1000 and p 50 to 1000. A run has succeeded when over
/// 10,000 sequences in succession every output at the end is less than 0.25 (2c: 0.2) away from its target.
package struct DistantSymbol: Sendable {
  /// Which task.
  package enum Variant: Sendable, Equatable {
    /// 2a.
    case regular
    /// 2b.
    case random
    /// 2c, with the least number q of symbols between.
    case randomLength(least: Int)
  }

  /// Which task.
  package let variant: Variant
  /// p: one more than there are symbols between first and last (2a, 2b); as many as there are different ones (2c).
  package let p: Int

  /// The task; an error with exit code 78 for p below 2 (2c: 1), or p or q that are out of all reason.
  package init(_ variant: Variant, p: Int) throws(Problem) {
    let fewest = if case .randomLength = variant { 1 } else { 2 }
    guard (fewest...1_000_000).contains(p) else {
      throw .configuration("symbols of the task — expected p of \(fewest) to 1000000, got \(p)")
    }
    if case .randomLength(let least) = variant, !(1...100_000_000).contains(least) {
      throw .configuration("lag of the task — expected q of 1 to 100000000, got \(least)")
    }
    self.variant = variant
    self.p = p
  }

  /// The number of different symbols: a₁ … are the first tokens.
  package var symbols: Int { y + 1 }
  /// The token of x; y is the next one.
  package var x: Int32 {
    if case .randomLength = variant { Int32(p + 2) } else { Int32(p - 1) }
  }
  /// The token of y.
  package var y: Int { Int(x) + 1 }
  /// The token of the trigger e (2c); b is the next one.
  private var trigger: Int32 { Int32(p) }

  /// The most symbols of a sequence.
  package var longest: Int {
    if case .randomLength(let least) = variant { least + DistantSymbol.mostMore + 4 } else { p + 1 }
  }
  /// k in 2c: one sequence in 3·10¹¹ would be longer.
  private static let mostMore = 250

  /// An output at the end is right if it is nearer to its target than this.
  package var tolerance: Float {
    if case .randomLength = variant { 0.2 } else { 0.25 }
  }

  /// Sequence `index` of the stream of `seed`, with its last symbol.
  package func example(seed: UInt64, index: Int) -> [Int32] {
    var draws = PhiloxSequence(seed: seed, purpose: .dataGeneration, step: index, layer: LongTimeLag.distantSymbol)
    let kept = x + Int32(draws.below(2))
    switch variant {
    case .regular: return [kept] + (0..<p - 1).map { Int32($0) } + [kept]
    case .random: return [kept] + (0..<p - 1).map { _ in Int32(draws.below(p - 1)) } + [kept]
    case .randomLength(let least):
      var tokens = [trigger + 1, kept]
      for _ in 0..<least { tokens.append(Int32(draws.below(p))) }
      while draws.below(10) != 0, tokens.count < longest - 2 { tokens.append(Int32(draws.below(p))) }
      return tokens + [trigger, kept]
    }
  }
}
