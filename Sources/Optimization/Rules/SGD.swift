/// Gradient descent over `count` parameters; g = gradient · scale.
func sgd(
  _ parameters: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>, scale: Float, count: Int, rate: Float,
  weightDecay: Float
) {
  guard weightDecay != 0 else {
    // (O1) p ← p − η·g, with η·scale taken out of the loop
    let rate = rate * scale
    for i in 0..<count { parameters[i] -= rate * gradient[i] }
    return
  }
  // (O2) p ← p − η·(g + λ·p)
  for i in 0..<count { parameters[i] -= rate * (gradient[i] * scale + weightDecay * parameters[i]) }
}

/// The same with momentum; `b` is the velocity, without the learning rate in it.
func sgd(
  _ parameters: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>, scale: Float,
  b: UnsafeMutablePointer<Float>, count: Int, rate: Float, momentum: Float, nesterov: Bool, weightDecay: Float
) {
  for i in 0..<count {
    let d = gradient[i] * scale + weightDecay * parameters[i]
    // (O3) b ← μ·b + g + λ·p
    let velocity = momentum * b[i] + d
    b[i] = velocity
    // (O4) p ← p − η·b, or with Nesterov's step ahead p ← p − η·(g + λ·p + μ·b)
    parameters[i] -= rate * (nesterov ? d + momentum * velocity : velocity)
  }
}
