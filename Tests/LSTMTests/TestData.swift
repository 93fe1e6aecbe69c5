import ExactMath
import Kernels
import LSTM

/// `count` numbers in (−scale, scale), the same for the same `seed`.
func randomNumbers<Scalar: ReferenceScalar>(_ count: Int, seed: UInt64, scale: Scalar = 1) -> [Scalar] {
  var words = PhiloxSequence(seed: seed, purpose: .sampling)
  return (0..<count).map { _ in Scalar(2 * words.uniform() - 1) * scale }
}

/// [rows, columns] with each row padded to whole vectors.
func paddedRows(_ values: [Float], columns: Int) -> [Float] {
  var result: [Float] = []
  for row in 0..<(columns == 0 ? 0 : values.count / columns) {
    result += values[row * columns..<(row + 1) * columns]
    result += Array(repeating: 0, count: padded(columns) - columns)
  }
  return result
}

/// The inverse of `paddedRows`, from memory.
func unpaddedRows(_ start: UnsafePointer<Float>, rows: Int, columns: Int) -> [Float] {
  (0..<rows).flatMap { row in (0..<columns).map { start[row * padded(columns) + $0] } }
}
