import ExactMath

/// What Adam's loop needs of a step: η and ε with the corrections of both moments' bias taken into them,
/// η·m̂/(√v̂ + ε) = η·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε·√(1 − β₂ᵗ)).
struct AdamStep {
  let beta1: Float
  let beta2: Float
  let rate: Float
  let epsilon: Float

  /// - Parameter update: counted from 0, so t = `update` + 1.
  init(rate: Double, beta1: Double, beta2: Double, epsilon: Double, update: Int) {
    // (O5) m̂ = m / (1 − β₁ᵗ)    (O6) v̂ = v / (1 − β₂ᵗ)
    let corrected1 = 1 - power(beta1, update + 1)
    let corrected2 = (1 - power(beta2, update + 1)).squareRoot()
    self.beta1 = Float(beta1)
    self.beta2 = Float(beta2)
    self.rate = Float(rate * corrected2 / corrected1)
    self.epsilon = Float(epsilon * corrected2)
  }
}

/// Adam over `count` parameters; g = gradient · scale.
/// - Parameters:
///   - weightDecay: λ of Adam, 0 for AdamW.
///   - kept: 1 − η·λ of AdamW, 1 for Adam.
func adam(
  _ parameters: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>, scale: Float,
  m: UnsafeMutablePointer<Float>, v: UnsafeMutablePointer<Float>, count: Int, _ step: AdamStep, weightDecay: Float,
  kept: Float
) {
  let (beta1, beta2) = (step.beta1, step.beta2)
  let (new1, new2) = (1 - beta1, 1 - beta2)
  for i in 0..<count {
    // Adam: g ← g + λ·p
    let g = weightDecay == 0 ? gradient[i] * scale : gradient[i] * scale + weightDecay * parameters[i]
    // (O7) m ← β₁·m + (1 − β₁)·g    (O8) v ← β₂·v + (1 − β₂)·g²
    m[i] = beta1 * m[i] + new1 * g
    v[i] = beta2 * v[i] + new2 * g * g
    // (O9) p ← p − η·m̂ / (√v̂ + ε), of AdamW p ← (1 − η·λ)·p − η·m̂ / (√v̂ + ε)
    parameters[i] = kept * parameters[i] - step.rate * m[i] / (v[i].squareRoot() + step.epsilon)
  }
}
