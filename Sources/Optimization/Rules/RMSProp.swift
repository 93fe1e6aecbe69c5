/// Tieleman and Hinton, "RMSProp", lecture 6.5 of "Neural Networks for Machine Learning" (2012); with momentum as in
/// Graves, "Generating Sequences With Recurrent Neural Networks" (2013), but uncentred.
struct RMSProp: ElementwiseRule {
  static let description = RuleDescription(
    "rmsprop", title: "RMSProp", paper: "Tieleman and Hinton 2012",
    keys: [.learningRate, .beta2, .epsilon, .momentum, .weightDecay],
    defaults: [(.learningRate, "0.001"), (.beta2, "0.99")])

  let learningRate: Double
  private let beta2: Double
  private let epsilon: Double
  private let momentum: Double
  private let weightDecay: Double

  init(_ values: RuleValues) {
    learningRate = values[.learningRate]
    (beta2, epsilon, momentum) = (values[.beta2], values[.epsilon], values[.momentum])
    weightDecay = values[.weightDecay]
  }

  var moments: [String] { momentum == 0 ? ["square_avg"] : ["square_avg", "momentum_buffer"] }

  func update(_ x: ParameterBlock, step: Int, factor: Double) {
    let (parameters, gradient, scale, v) = (x.parameters, x.gradient, x.scale, x.moment1)
    let b = momentum == 0 ? nil : x.moment2
    let (rate, beta2, epsilon) = (Float(learningRate * factor), Float(beta2), Float(epsilon))
    let (momentum, weightDecay) = (Float(momentum), Float(weightDecay))
    let new2 = 1 - beta2
    for i in 0..<x.count {
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

  func direction(_ gradient: Double, _ x: inout ReferenceParameter, t: Int) -> Double {
    let g = gradient + weightDecay * x.p
    // (O10) v ← β₂·v + (1 − β₂)·g²
    x.v = beta2 * x.v + (1 - beta2) * g * g
    // (O12) b ← μ·b + g / (√v + ε)
    x.b = momentum * x.b + g / (x.v.squareRoot() + epsilon)
    return x.b
  }
}
