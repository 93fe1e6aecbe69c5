import Optimization
import TestSupport

/// Three updates of seven parameters as PyTorch 2.15 makes them in Double.
enum Known {
  static let parameters: [Float] = [0.5, -1.25, 2.0, 0.0, -0.75, 1.5, 0.125]
  static let gradients: [[Float]] = [
    [0.3, -0.2, 1.0, 0.05, -0.6, 0.0, 2.0], [-0.1, -0.4, 0.7, 0.15, 0.2, 0.0, -1.0],
    [0.2, 0.1, -0.9, -0.25, 0.4, 0.5, 0.5],
  ]

  struct Update: CustomStringConvertible, Sendable {
    let description: String
    let rule: OptimizerRule
    let after: [Double]
  }

  static let updates = [
    Update(
      description: "SGD(lr=0.1)", rule: .sgd(learningRate: 0.1), after: [0.46, -1.2, 1.92, 0.005, -0.75, 1.45, -0.025]),
    Update(
      description: "SGD(lr=0.1, weight_decay=0.05)", rule: .sgd(learningRate: 0.1, weightDecay: 0.05),
      after: [0.4527866875, -1.18174309375, 1.89149725, 0.005124875, -0.73930465625, 1.4276123125, -0.025370640625]),
    Update(
      description: "SGD(lr=0.1, momentum=0.9, weight_decay=0.05)",
      rule: .sgd(learningRate: 0.1, momentum: 0.9, weightDecay: 0.05),
      after: [
        0.4042541875, -1.09546684375, 1.63238725, -0.016880125, -0.64549090625, 1.4081048125, -0.277196265625,
      ]),
    Update(
      description: "SGD(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05)",
      rule: .sgd(learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.05),
      after: [
        0.367339977062, -1.043695673781, 1.56399903775, -0.009817657375, -0.646654493469, 1.345152763937,
        -0.383328564672,
      ]),
    Update(
      description: "Adam(lr=0.01, betas=(0.9, 0.99), eps=1e-3, weight_decay=0.05)",
      rule: .adam(learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-3, weightDecay: 0.05),
      after: [
        0.478546327017, -1.2232326517, 1.976938102491, -0.017266293914, -0.735314277172, 1.472639098135,
        0.108854584578,
      ]),
    Update(
      description: "AdamW(lr=0.01, betas=(0.9, 0.99), eps=1e-3, weight_decay=0.5)",
      rule: .adamW(learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-3, weightDecay: 0.5),
      after: [
        0.472685756225, -1.20606448535, 1.948280624027, -0.017146057636, -0.725744304687, 1.471274755264,
        0.107174323079,
      ]),
    Update(
      description: "RMSprop(lr=0.01, alpha=0.9, eps=1e-3, weight_decay=0.05)",
      rule: .rmsProp(learningRate: 0.01, beta2: 0.9, epsilon: 1e-3, weightDecay: 0.05),
      after: [
        0.457532343679, -1.193647273696, 1.966380334064, -0.032258899787, -0.743198591218, 1.416610711805,
        0.100458279931,
      ]),
    Update(
      description: "RMSprop(lr=0.01, alpha=0.9, eps=1e-3, momentum=0.8)",
      rule: .rmsProp(learningRate: 0.01, beta2: 0.9, epsilon: 1e-3, momentum: 0.8),
      after: [
        0.424366672941, -1.130248831873, 1.909159214605, -0.098911945214, -0.710048611428, 1.468575966437,
        0.066927720232,
      ]),
  ]
}
