/// LAMB's direction r + λ·p of some parameters, and the moments that lead there; g = gradient · scale. With the rate
/// that `step` has for η = 1, `step.rate` · m / (√v + `step.epsilon`) is r.
struct LAMBStep {
  let step: AdamStep
  let weightDecay: Float

  /// Renews the moments of `count` parameters.
  func moments(
    _ gradient: UnsafePointer<Float>, scale: Float, m: UnsafeMutablePointer<Float>, v: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    let (new1, new2) = (1 - step.beta1, 1 - step.beta2)
    for i in 0..<count {
      let g = gradient[i] * scale
      // (O7) m ← β₁·m + (1 − β₁)·g    (O8) v ← β₂·v + (1 − β₂)·g²
      m[i] = step.beta1 * m[i] + new1 * g
      v[i] = step.beta2 * v[i] + new2 * g * g
    }
  }

  /// The direction of `count` parameters whose moments have been renewed.
  func direction(
    _ parameters: UnsafePointer<Float>, m: UnsafePointer<Float>, v: UnsafePointer<Float>, count: Int,
    into direction: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count {
      // (O13) u = r + λ·p,  r = m̂ / (√v̂ + ε)
      direction[i] = step.rate * m[i] / (v[i].squareRoot() + step.epsilon) + weightDecay * parameters[i]
    }
  }
}

/// (O14) The trust ratio ‖p‖ / ‖u‖ of a tensor; 1 where one of them is 0, as for a bias that begins as 0.
func trustRatio(squaredNorm p: Double, direction u: Double) -> Double {
  p > 0 && u > 0 ? (p / u).squareRoot() : 1
}
