/// Gradient descent, with heavy-ball momentum μ (Polyak 1964) as in Sutskever, Martens, Dahl and Hinton, "On the
/// importance of initialization and momentum in deep learning" (2013), or Nesterov's.
struct SGD: ElementwiseRule {
  static let description = RuleDescription(
    "sgd", title: "gradient descent", keys: [.learningRate, .momentum, .nesterov, .weightDecay],
    defaults: [(.learningRate, "1")],
    misfit: { $0[flag: "nesterov"] && $0[.momentum] == 0 ? (.nesterov, "false without optimizer.momentum") : nil })

  let learningRate: Double
  private let momentum: Double
  private let nesterov: Bool
  private let weightDecay: Double

  init(_ values: RuleValues) {
    (learningRate, momentum) = (values[.learningRate], values[.momentum])
    (nesterov, weightDecay) = (values[.nesterov] == 1, values[.weightDecay])
  }

  var moments: [String] { momentum == 0 ? [] : ["momentum_buffer"] }

  var needsGradientToMove: Bool { momentum == 0 && weightDecay == 0 }

  func update(_ x: ParameterBlock, step: Int, factor: Double) {
    if momentum == 0 {
      plain(x, rate: Float(learningRate * factor))
    } else {
      heavy(x, rate: Float(learningRate * factor))
    }
  }

  private func plain(_ x: ParameterBlock, rate: Float) {
    let (parameters, gradient, scale, weightDecay) = (x.parameters, x.gradient, x.scale, Float(weightDecay))
    guard weightDecay != 0 else {
      // (O1) p ← p − η·g, with η·scale taken out of the loop
      let rate = rate * scale
      for i in 0..<x.count { parameters[i] -= rate * gradient[i] }
      return
    }
    // (O2) p ← p − η·(g + λ·p)
    for i in 0..<x.count { parameters[i] -= rate * (gradient[i] * scale + weightDecay * parameters[i]) }
  }

  /// The velocity is without the learning rate in it.
  private func heavy(_ x: ParameterBlock, rate: Float) {
    let (parameters, gradient, scale, b) = (x.parameters, x.gradient, x.scale, x.moment1)
    let (momentum, nesterov, weightDecay) = (Float(momentum), nesterov, Float(weightDecay))
    for i in 0..<x.count {
      let d = gradient[i] * scale + weightDecay * parameters[i]
      // (O3) b ← μ·b + g + λ·p
      let velocity = momentum * b[i] + d
      b[i] = velocity
      // (O4) p ← p − η·b, or with Nesterov's step ahead p ← p − η·(g + λ·p + μ·b)
      parameters[i] -= rate * (nesterov ? d + momentum * velocity : velocity)
    }
  }

  func direction(_ gradient: Double, _ x: inout ReferenceParameter, t: Int) -> Double {
    let g = gradient + weightDecay * x.p
    // (O3) b ← μ·b + g + λ·p
    x.b = momentum * x.b + g
    // (O4) p ← p − η·b, or with Nesterov's step ahead p ← p − η·(g + λ·p + μ·b)
    return nesterov ? g + momentum * x.b : x.b
  }
}

extension RuleKey {
  package static let nesterov = RuleKey(
    "nesterov", .flag, "false",
    "Nesterov's momentum, which steps ahead before the gradient counts; needs optimizer.momentum.")
}

extension OptimizerRule {
  package static func sgd(
    learningRate: Double, momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0
  ) -> OptimizerRule {
    OptimizerRule(
      SGD([
        .learningRate: learningRate, .momentum: momentum, .nesterov: nesterov ? 1 : 0, .weightDecay: weightDecay,
      ]))
  }
}
