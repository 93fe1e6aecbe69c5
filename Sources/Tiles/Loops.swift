import ExactMath

// Loops over consecutive floats, made vector code by the compiler in the width of the module into which they are
// inlined.

/// y[i] = σ(y[i]) for `count` floats in place.
@inlinable @inline(__always)
public func sigmoids(_ y: UnsafeMutablePointer<Float>, count: Int) {
  for i in 0..<count { y[i] = sigmoid(y[i]) }
}

/// y[i] = tanh(y[i]) for `count` floats in place.
@inlinable @inline(__always)
public func hyperbolicTangents(_ y: UnsafeMutablePointer<Float>, count: Int) {
  for i in 0..<count { y[i] = hyperbolicTangent(y[i]) }
}

/// y[i] = e^(y[i] − shift) for `count` floats in place.
@inlinable @inline(__always)
public func exponentials(_ y: UnsafeMutablePointer<Float>, minus shift: Float, count: Int) {
  for i in 0..<count { y[i] = exponential(y[i] - shift) }
}

/// Fused multiply-adds on `rows` × `panels` vectors of registers with no memory traffic; their sum, so that a compiler
/// cannot leave them out.
@inlinable @inline(__always)
public func multiplyAdds<let rows: Int, let panels: Int>(
  _: Tile<rows, panels>.Type, rounds: Int, factor: Float
) -> Float {
  var sums: Tile<rows, panels> = .zeros()
  let (x, y) = (Vector(repeating: factor), Vector(repeating: factor * 0.5))
  for _ in 0..<rounds {
    for i in 0..<rows {
      for p in 0..<panels { sums[i][p] = sums[i][p].addingProduct(x, y) }
    }
  }
  var check: Float = 0
  for i in 0..<rows {
    for p in 0..<panels { check += sums[i][p].fixedOrderSum }
  }
  return check
}
