/// y[i] = σ(y[i]) for `count` floats in place.
package func applySigmoid(_ y: UnsafeMutablePointer<Float>, count: Int) {
  applySigmoid(y, count: count, on: .current)
}

/// y[i] = tanh(y[i]) for `count` floats in place.
package func applyHyperbolicTangent(_ y: UnsafeMutablePointer<Float>, count: Int) {
  applyHyperbolicTangent(y, count: count, on: .current)
}

/// y[i] = e^y[i] for `count` floats in place.
package func applyExponential(_ y: UnsafeMutablePointer<Float>, count: Int) {
  applyExponential(y, minus: 0, count: count, on: .current)
}

/// y[i] += x[i] for `count` floats; the two must not overlap.
package func add(_ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, count: Int) {
  for i in 0..<count { y[i] += x[i] }
}

/// sum[i] = x[i] + y[i] for `count` floats; the sum may be x or y itself.
package func setSum(
  _ sum: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int
) {
  let whole = count & ~(vectorWidth - 1)
  for i in stride(from: 0, to: whole, by: vectorWidth) { (Vector(x + i) + Vector(y + i)).store(sum + i) }
  for i in whole..<count { sum[i] = x[i] + y[i] }
}
