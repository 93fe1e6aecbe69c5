/// RMSProp over `count` parameters; g = gradient · scale. `b` is the velocity, nil without momentum.
func rmsProp(
  _ parameters: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>, scale: Float,
  v: UnsafeMutablePointer<Float>, b: UnsafeMutablePointer<Float>?, count: Int, rate: Float, beta2: Float,
  epsilon: Float, momentum: Float, weightDecay: Float
) {
  let new2 = 1 - beta2
  for i in 0..<count {
    let g = gradient[i] * scale + weightDecay * parameters[i]
    // (O10) v ← β₂·v + (1 − β₂)·g²
    v[i] = beta2 * v[i] + new2 * g * g
    let direction = g / (v[i].squareRoot() + epsilon)
    guard let b else {
      // (O11) p ← p − η·g / (√v + ε)
      parameters[i] -= rate * direction
      continue
    }
    // (O12) b ← μ·b + g / (√v + ε),  p ← p − η·b
    b[i] = momentum * b[i] + direction
    parameters[i] -= rate * b[i]
  }
}
