import CProcessor
import Glibc
import Tiles
import TilesAVX512

/// What the kernels run on. The program is compiled for the baseline, its innermost loops once more for AVX-512; which
/// of the two runs is decided when the program starts. The bits are the same either way: an element of a product is one
/// chain of fused multiply-adds, however many of them a register holds.
package enum InstructionSet: String, CaseIterable, Sendable {
  /// AVX2 and FMA.
  case baseline
  /// Registers of sixteen floats, thirty-two of them.
  case avx512

  /// Names the set to be used instead of the best.
  package static let environmentVariable = "LSTM_DIST_INSTRUCTIONS"

  /// Those that this processor and the operating system offer, the best last.
  package static let offered = processor_has_avx512() ? allCases : [.baseline]

  /// The one that is used: the best, unless the environment names another.
  package static let current = chosen(getenv(environmentVariable).map { String(cString: $0) }) ?? .baseline

  /// The best set, or the one that is named; nil where it is unknown or not offered.
  package static func chosen(_ name: String?) -> InstructionSet? {
    guard let name else { return offered.last }
    return offered.first { $0.rawValue == name }
  }
}

// The entries to the innermost loops. They branch instead of calling through a pointer: each call computes some
// thousands of numbers.
package func compute(_ product: PanelProduct, on set: InstructionSet = .current) {
  switch set {
  case .baseline: product.computeInSixteenRegisters()
  case .avx512: TilesAVX512.compute(product)
  }
}

package func compute(_ tiles: GradientTiles, on set: InstructionSet = .current) {
  switch set {
  case .baseline: tiles.computeInSixteenRegisters()
  case .avx512: TilesAVX512.compute(tiles)
  }
}

package func applySigmoid(_ y: UnsafeMutablePointer<Float>, count: Int, on set: InstructionSet) {
  switch set {
  case .baseline: sigmoids(y, count: count)
  case .avx512: TilesAVX512.applySigmoid(y, count: count)
  }
}

package func applyHyperbolicTangent(_ y: UnsafeMutablePointer<Float>, count: Int, on set: InstructionSet) {
  switch set {
  case .baseline: hyperbolicTangents(y, count: count)
  case .avx512: TilesAVX512.applyHyperbolicTangent(y, count: count)
  }
}

package func applyExponential(
  _ y: UnsafeMutablePointer<Float>, minus shift: Float, count: Int, on set: InstructionSet
) {
  switch set {
  case .baseline: exponentials(y, minus: shift, count: count)
  case .avx512: TilesAVX512.applyExponential(y, minus: shift, count: count)
  }
}

/// Fused multiply-adds of the set on registers alone, and how many operations they are.
package func runMultiplyAdds(rounds: Int, factor: Float, on set: InstructionSet) -> (check: Float, flops: Int) {
  switch set {
  case .baseline:
    (multiplyAdds(Tile<6, 1>.self, rounds: rounds, factor: factor), rounds * 6 * vectorWidth * 2)
  case .avx512:
    (TilesAVX512.runMultiplyAdds(rounds: rounds, factor: factor), rounds * 12 * vectorWidth * 2)
  }
}
