import ExactMath

/// Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1; λ·p is part of the gradient.
struct Adam: ElementwiseRule {
  static let description = RuleDescription(
    "adam", title: "Adam", paper: "Kingma and Ba 2015", keys: [.learningRate, .beta1, .beta2, .epsilon, .weightDecay])

  let moments = ["exp_avg", "exp_avg_sq"]
  let learningRate: Double
  private let beta1: Double
  private let beta2: Double
  private let epsilon: Double
  private let weightDecay: Double

  init(_ values: RuleValues) {
    learningRate = values[.learningRate]
    (beta1, beta2, epsilon) = (values[.beta1], values[.beta2], values[.epsilon])
    weightDecay = values[.weightDecay]
  }

  func update(_ x: ParameterBlock, step: Int, factor: Double) {
    adam(
      x, AdamStep(rate: learningRate * factor, beta1: beta1, beta2: beta2, epsilon: epsilon, update: step),
      weightDecay: Float(weightDecay), kept: 1)
  }

  func direction(_ gradient: Double, _ x: inout ReferenceParameter, t: Int) -> Double {
    adamDirection(gradient + weightDecay * x.p, &x, beta1, beta2, epsilon, t: t)
  }
}

extension OptimizerRule {
  package static func adam(
    learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double = 0
  ) -> OptimizerRule {
    OptimizerRule(
      Adam([
        .learningRate: learningRate, .beta1: beta1, .beta2: beta2, .epsilon: epsilon, .weightDecay: weightDecay,
      ]))
  }
}

/// m̂ / (√v̂ + ε) of one parameter.
func adamDirection(
  _ g: Double, _ x: inout ReferenceParameter, _ beta1: Double, _ beta2: Double, _ epsilon: Double, t: Int
) -> Double {
  // (O7) m ← β₁·m + (1 − β₁)·g    (O8) v ← β₂·v + (1 − β₂)·g²
  x.m = beta1 * x.m + (1 - beta1) * g
  x.v = beta2 * x.v + (1 - beta2) * g * g
  // (O5) m̂ = m / (1 − β₁ᵗ)    (O6) v̂ = v / (1 − β₂ᵗ)
  let mHat = x.m / (1 - power(beta1, t))
  let vHat = x.v / (1 - power(beta2, t))
  return mHat / (vHat.squareRoot() + epsilon)
}

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

/// Adam over some parameters; g = gradient · scale.
/// - Parameters:
///   - weightDecay: λ of Adam, 0 for AdamW.
///   - kept: 1 − η·λ of AdamW, 1 for Adam.
func adam(_ x: ParameterBlock, _ step: AdamStep, weightDecay: Float, kept: Float) {
  let (parameters, gradient, scale, m, v) = (x.parameters, x.gradient, x.scale, x.moment1, x.moment2)
  let (beta1, beta2) = (step.beta1, step.beta2)
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
