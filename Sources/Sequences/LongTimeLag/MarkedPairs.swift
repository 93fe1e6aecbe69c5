import ExactMath
import Problems

/// Adding and multiplication: experiments 4 and 5 of Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural
/// Computation 9 (1997), sections 5.4 and 5.5. Of a long sequence of pairs (value, marker) two are marked, and the sum
/// or the product of their values is asked for at the end.
///
/// * T ... T + T/10 pairs, T the shortest length (100, 500 and 1000 in the paper).
/// * Values uniform in [−1, 1) for adding, in [0, 1) for multiplication.
/// * Markers: 1 for two pairs, one of the first ten and one of the first T/2 − 1 that are still unmarked; −1 for the
///   first and the last pair; 0 for all others.
/// * Where the first pair is drawn to be marked, its marker stays −1 and its value becomes neutral: 0 or 1.
/// * Target: 0.5 + (X₁ + X₂)/4, or X₁·X₂. A sequence is correct if the output is less than 0.04 away.
package struct MarkedPairs: Sendable {
  /// What is asked for.
  package enum Operation: String, Sendable {
    /// 0.5 + (X₁ + X₂)/4, section 5.4.
    case adding
    /// X₁·X₂, section 5.5.
    case multiplication
  }

  /// What is asked for.
  package let operation: Operation
  /// T, the fewest pairs.
  package let shortest: Int

  /// A correct output is nearer to the target than this.
  package static let tolerance: Float = 0.04

  /// The task with sequences of at least `shortest` pairs, 22 or more, so that the first ten can be marked twice.
  package init(_ operation: Operation, shortest: Int) throws(Problem) {
    guard (22...100_000_000).contains(shortest) else {
      throw .configuration("length of marked sequences — expected 22 to 100000000 pairs, got \(shortest)")
    }
    self.operation = operation
    self.shortest = shortest
  }

  /// The most pairs, T + T/10.
  package var longest: Int { shortest + shortest / 10 }

  /// Sequence `index` of the stream of `seed`: values [length, 2] row-major, and the target.
  package func example(seed: UInt64, index: Int) -> (values: [Float], target: Float) {
    var draws = PhiloxSequence(seed: seed, purpose: .dataGeneration, step: index, layer: LongTimeLag.markedPairs)
    let length = shortest + draws.below(longest - shortest + 1)
    let first = draws.below(10)
    let unmarked = draws.below(shortest / 2 - 1)
    let second = unmarked < first ? unmarked : unmarked + 1
    var values = [Float](repeating: 0, count: 2 * length)
    for place in 0..<length {
      let uniform = Philox.uniform(draws.next())
      values[2 * place] = operation == .adding ? 2 * uniform - 1 : uniform
    }
    for marked in [first, second] {
      values[2 * marked + 1] = 1
      if marked == 0 { values[0] = operation == .adding ? 0 : 1 }
    }
    values[1] = -1
    values[2 * length - 1] = -1
    let (x1, x2) = (values[2 * first], values[2 * second])
    return (values, operation == .adding ? 0.5 + (x1 + x2) / 4 : x1 * x2)
  }
}

/// Layers of the data stream, one for each task: no two share their draws. Part of what a seed means: never changed.
enum LongTimeLag {
  static let markedPairs = 1
  static let temporalOrder = 2
  static let distantSymbol = 3
}
