import ExactMath
import Glibc

/// A floating-point type in which the reference LSTM runs.
package protocol ReferenceScalar: BinaryFloatingPoint & Sendable {
  /// σ(x) = 1 / (1 + e^−x).
  static func sigmoid(_ x: Self) -> Self
  /// tanh(x).
  static func hyperbolicTangent(_ x: Self) -> Self
}

/// In Float the functions of the fast path, so that the two can be compared bit for bit.
extension Float: ReferenceScalar {
  /// σ(x), as the kernels compute it.
  package static func sigmoid(_ x: Float) -> Float { ExactMath.sigmoid(x) }
  /// tanh(x), as the kernels compute it.
  package static func hyperbolicTangent(_ x: Float) -> Float { ExactMath.hyperbolicTangent(x) }
}

/// In Double the functions of the C library: this is the truth for gradients, and no training depends on its bits.
extension Double: ReferenceScalar {
  /// σ(x).
  package static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
  /// tanh(x).
  package static func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
}
