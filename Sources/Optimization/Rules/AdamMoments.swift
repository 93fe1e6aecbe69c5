import ExactMath

/// The two moments of the gradient and their corrections, which Adam, AdamW and LAMB have in common.
struct AdamMoments {
  /// The names under which checkpoints keep m and v.
  static let names = ["exp_avg", "exp_avg_sq"]

  let beta1: Double
  let beta2: Double
  let epsilon: Double

  init(_ values: RuleValues) { (beta1, beta2, epsilon) = (values[.beta1], values[.beta2], values[.epsilon]) }

  /// What the loop of a step needs: η and ε with the corrections of both moments' bias taken into them,
  /// η·m̂/(√v̂ + ε) = η·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε·√(1 − β₂ᵗ)).
  struct Step {
    let rate: Float
    let epsilon: Float
  }

  /// - Parameter update: counted from 0, so t = `update` + 1.
  func step(rate: Double, update: Int) -> Step {
    // (O5) m̂ = m / (1 − β₁ᵗ)    (O6) v̂ = v / (1 − β₂ᵗ)
    let corrected1 = 1 - power(beta1, update + 1)
    let corrected2 = (1 - power(beta2, update + 1)).squareRoot()
    return Step(rate: Float(rate * corrected2 / corrected1), epsilon: Float(epsilon * corrected2))
  }

  /// Updates some parameters; g = gradient · scale.
  /// - Parameters:
  ///   - weightDecay: λ of Adam, 0 for AdamW.
  ///   - kept: 1 − η·λ of AdamW, 1 for Adam.
  func update(_ x: ParameterBlock, _ step: Step, weightDecay: Float, kept: Float) {
    let (parameters, gradient, scale, m, v) = (x.parameters, x.gradient, x.scale, x.moment1, x.moment2)
    let (beta1, beta2) = (Float(beta1), Float(beta2))
    let (new1, new2) = (1 - beta1, 1 - beta2)
    for i in 0..<x.count {
      // Adam: g ← g + λ·p
      let g = weightDecay == 0 ? gradient[i] * scale : gradient[i] * scale + weightDecay * parameters[i]
      // (O7) m ← β₁·m + (1 − β₁)·g    (O8) v ← β₂·v + (1 − β₂)·g²
      m[i] = beta1 * m[i] + new1 * g
      v[i] = beta2 * v[i] + new2 * g * g
      // (O9) p ← p − η·m̂ / (√v̂ + ε), of AdamW p ← (1 − η·λ)·p − η·m̂ / (√v̂ + ε)
      parameters[i] = kept * parameters[i] - step.rate * m[i] / (v[i].squareRoot() + step.epsilon)
    }
  }

  /// m̂ / (√v̂ + ε) of one parameter: the reference.
  func direction(_ g: Double, _ x: inout ReferenceParameter, t: Int) -> Double {
    // (O7) m ← β₁·m + (1 − β₁)·g    (O8) v ← β₂·v + (1 − β₂)·g²
    x.m = beta1 * x.m + (1 - beta1) * g
    x.v = beta2 * x.v + (1 - beta2) * g * g
    // (O5) m̂ = m / (1 − β₁ᵗ)    (O6) v̂ = v / (1 − β₂ᵗ)
    let mHat = x.m / (1 - power(beta1, t))
    let vHat = x.v / (1 - power(beta2, t))
    return mHat / (vHat.squareRoot() + epsilon)
  }
}
