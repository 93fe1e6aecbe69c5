/// Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2.
struct AdamW: ElementwiseRule {
  static let description = RuleDescription(
    "adamw", title: "AdamW", paper: "Loshchilov and Hutter 2019",
    keys: [.learningRate, .beta1, .beta2, .epsilon, .weightDecay], defaults: [(.weightDecay, "0.01")])

  let moments = AdamMoments.names
  let learningRate: Double
  private let adam: AdamMoments
  private let weightDecay: Double

  init(_ values: RuleValues) {
    (learningRate, weightDecay) = (values[.learningRate], values[.weightDecay])
    adam = AdamMoments(values)
  }

  func update(_ x: ParameterBlock, step: Int, factor: Double) {
    let rate = learningRate * factor
    adam.update(x, adam.step(rate: rate, update: step), weightDecay: 0, kept: Float(1 - rate * weightDecay))
  }

  func direction(_ gradient: Double, _ x: inout ReferenceParameter, t: Int) -> Double {
    // (O9) p ← p − η·(m̂ / (√v̂ + ε) + λ·p), the same as (1 − η·λ)·p − η·m̂ / (√v̂ + ε)
    adam.direction(gradient, &x, t: t) + weightDecay * x.p
  }
}
