import ExactMath

/// Temporal order: experiment 6 of Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997),
/// section 5.6. A sequence of 100 to 110 symbols begins with E and ends with B; between them stand random symbols of a,
/// b, c, d, but for two (task 6a) or three (task 6b) places with X or Y. The class is which of them stand in which
/// order.
///
/// The places, counted from 0: 10 ... 20 and 50 ... 60 in task 6a; 10 ... 20, 33 ... 43 and 66 ... 76 in task 6b. A
/// sequence is correct if each output is less than 0.3 away from its target of 0 or 1.
package enum TemporalOrder: String, Sendable, CaseIterable {
  /// Task 6a: two symbols, four classes.
  case two
  /// Task 6b: three symbols, eight classes.
  case three

  /// The symbols, by token number.
  package static let symbols = "EBabcdXY"
  /// The symbols as a vocabulary.
  package static let vocabulary = Vocabulary(
    valid: .symbols, entries: symbols.map { ExactString(String($0)) })

  /// The lengths of sequences.
  package static let lengths = 100...110
  /// A correct output is nearer to its target than this.
  package static let tolerance: Float = 0.3

  /// The names of the classes, in the paper's order: by the symbols of interest, X before Y at each of their places.
  package var classes: [String] {
    switch self {
    case .two: ["Q", "R", "S", "U"]
    case .three: ["Q", "R", "S", "U", "V", "A", "B", "C"]
    }
  }

  /// Where the symbols of interest stand.
  package var places: [ClosedRange<Int>] {
    switch self {
    case .two: [10...20, 50...60]
    case .three: [10...20, 33...43, 66...76]
    }
  }

  /// Sequence `index` of the stream of `seed`, and its class.
  package func example(seed: UInt64, index: Int) -> (tokens: [Int32], label: Int32) {
    var draws = PhiloxSequence(seed: seed, purpose: .dataGeneration, step: index, layer: LongTimeLag.temporalOrder)
    let length = TemporalOrder.lengths.lowerBound + draws.below(TemporalOrder.lengths.count)
    var tokens = (0..<length).map { _ in Int32(2 + draws.below(4)) }
    tokens[0] = 0
    tokens[length - 1] = 1
    var label: Int32 = 0
    for range in places {
      let place = range.lowerBound + draws.below(range.count)
      let isY = Int32(draws.below(2))
      tokens[place] = 6 + isY
      label = 2 * label + isY
    }
    return (tokens, label)
  }
}
