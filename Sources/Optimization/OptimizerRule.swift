/// The rule of an update, from the gradient g of the global batch. η: the learning rate, λ: the weight decay, which
/// reaches every parameter; m, v, b begin as 0; t counts updates from 1.
package enum OptimizerRule: Equatable, Sendable {
  /// Gradient descent, with heavy-ball momentum μ (Polyak 1964) as in Sutskever, Martens, Dahl and Hinton, "On the
  /// importance of initialization and momentum in deep learning" (2013), or Nesterov's.
  case sgd(learningRate: Double, momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0)
  /// Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1; λ·p is part of the gradient.
  case adam(learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double = 0)
  /// Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2.
  case adamW(learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double)
  /// Tieleman and Hinton, "RMSProp", lecture 6.5 of "Neural Networks for Machine Learning" (2012); with momentum as in
  /// Graves, "Generating Sequences With Recurrent Neural Networks" (2013), but uncentred.
  case rmsProp(learningRate: Double, beta2: Double, epsilon: Double, momentum: Double = 0, weightDecay: Double = 0)
  /// You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes" (2020), algorithm 2.
  case lamb(learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double)

  /// Names of the moments that the rule keeps, as PyTorch calls them, each as large as the parameters.
  package var moments: [String] {
    switch self {
    case .sgd(_, let momentum, _, _): momentum == 0 ? [] : ["momentum_buffer"]
    case .adam, .adamW, .lamb: ["exp_avg", "exp_avg_sq"]
    case .rmsProp(_, _, _, let momentum, _): momentum == 0 ? ["square_avg"] : ["square_avg", "momentum_buffer"]
    }
  }

  /// η, before any schedule.
  package var learningRate: Double {
    switch self {
    case .sgd(let rate, _, _, _), .adam(let rate, _, _, _, _), .adamW(let rate, _, _, _, _),
      .rmsProp(let rate, _, _, _, _), .lamb(let rate, _, _, _, _):
      rate
    }
  }

  /// Whether a parameter stays as it is where its gradient is +0.0.
  var needsGradientToMove: Bool {
    if case .sgd(_, 0, _, 0) = self { true } else { false }
  }
}
