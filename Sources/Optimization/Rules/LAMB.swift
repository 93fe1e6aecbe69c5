/// You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes" (2020), algorithm 2.
struct LAMB: TensorwiseRule {
  static let description = RuleDescription(
    "lamb", title: "LAMB", paper: "You et al. 2020",
    keys: [.learningRate, .beta1, .beta2, .epsilon, .weightDecay],
    defaults: [(.learningRate, "0.01"), (.weightDecay, "0.01")])

  let moments = AdamMoments.names
  let learningRate: Double
  private let adam: AdamMoments
  private let weightDecay: Double

  init(_ values: RuleValues) {
    (learningRate, weightDecay) = (values[.learningRate], values[.weightDecay])
    adam = AdamMoments(values)
  }

  func renewMoments(_ x: ParameterBlock) {
    let (gradient, scale, m, v) = (x.gradient, x.scale, x.moment1, x.moment2)
    let (beta1, beta2) = (Float(adam.beta1), Float(adam.beta2))
    let (new1, new2) = (1 - beta1, 1 - beta2)
    for i in 0..<x.count {
      let g = gradient[i] * scale
      // (O7) m ← β₁·m + (1 − β₁)·g    (O8) v ← β₂·v + (1 − β₂)·g²
      m[i] = beta1 * m[i] + new1 * g
      v[i] = beta2 * v[i] + new2 * g * g
    }
  }

  func step(update: Int) -> AdamMoments.Step { adam.step(rate: 1, update: update) }

  /// With the rate that `AdamMoments.step` gives for η = 1, `rate` · m / (√v + `epsilon`) is r.
  func direction(_ x: ParameterBlock, _ step: AdamMoments.Step, into direction: UnsafeMutablePointer<Float>) {
    let (parameters, m, v, weightDecay) = (x.parameters, x.moment1, x.moment2, Float(weightDecay))
    for i in 0..<x.count {
      // (O13) u = r + λ·p,  r = m̂ / (√v̂ + ε)
      direction[i] = step.rate * m[i] / (v[i].squareRoot() + step.epsilon) + weightDecay * parameters[i]
    }
  }

  /// (O14) The trust ratio ‖p‖ / ‖u‖ of a tensor; 1 where one of them is 0, as for a bias that begins as 0.
  func ratio(squaredNorm p: Double, direction u: Double) -> Double {
    p > 0 && u > 0 ? (p / u).squareRoot() : 1
  }

  func direction(_ gradient: Double, _ x: inout ReferenceParameter, t: Int) -> Double {
    // (O13) u = r + λ·p
    adam.direction(gradient, &x, t: t) + weightDecay * x.p
  }

  func ratio(_ p: [Double], _ u: [Double]) -> Double {
    func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    // (O14) ‖p‖ / ‖u‖, 1 where one of them is 0    (O15) p ← p − η·‖p‖/‖u‖·u
    let (p, u) = (norm(p), norm(u))
    return p > 0 && u > 0 ? p / u : 1
  }
}
