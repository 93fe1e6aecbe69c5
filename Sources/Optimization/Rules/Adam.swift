/// Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1; λ·p is part of the gradient.
struct Adam: ElementwiseRule {
  static let description = RuleDescription(
    "adam", title: "Adam", paper: "Kingma and Ba 2015", keys: [.learningRate, .beta1, .beta2, .epsilon, .weightDecay])

  let moments = AdamMoments.names
  let learningRate: Double
  private let adam: AdamMoments
  private let weightDecay: Double

  init(_ values: RuleValues) {
    (learningRate, weightDecay) = (values[.learningRate], values[.weightDecay])
    adam = AdamMoments(values)
  }

  func update(_ x: ParameterBlock, step: Int, factor: Double) {
    adam.update(x, adam.step(rate: learningRate * factor, update: step), weightDecay: Float(weightDecay), kept: 1)
  }

  func direction(_ gradient: Double, _ x: inout ReferenceParameter, t: Int) -> Double {
    adam.direction(gradient + weightDecay * x.p, &x, t: t)
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
