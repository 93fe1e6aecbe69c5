extension Configuration {
  /// The parameter update.
  package struct Optimizer: Sendable, Equatable {
    /// The rule of the update.
    package enum Name: String, Sendable, CaseIterable {
      /// Kingma and Ba's Adam, the same with decoupled weight decay, gradient descent, RMSProp, LAMB.
      case adam, adamw, sgd, rmsprop, lamb
    }
    /// What of a gradient is limited.
    package enum ClipBy: String, Sendable, CaseIterable {
      /// The global norm; each number.
      case norm, element
    }
    /// From when on the model is the average of the parameters.
    package enum Average: String, Sendable, CaseIterable {
      /// Never, from a step on, when evaluations no longer bring a better loss.
      case never
      case fromStep = "from-step"
      case nonMonotonic = "non-monotonic"
    }

    package internal(set) var name = Name.adam
    package internal(set) var learningRate = 0.0
    package internal(set) var clip = 0.0
    package internal(set) var clipBy = ClipBy.norm
    package internal(set) var beta1 = 0.0
    package internal(set) var beta2 = 0.0
    package internal(set) var epsilon = 0.0
    package internal(set) var momentum = 0.0
    package internal(set) var nesterov = false
    package internal(set) var weightDecay = 0.0
    package internal(set) var average = Average.never
    package internal(set) var averageFrom = 0
    package internal(set) var averagePatience = 0

    static let keys: [ConfigurationKey] = [
      .init(
        "optimizer.name", \.optimizer.name, .choice, .always("adam"),
        "The rule of the update: Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019), gradient descent, RMSProp "
          + "(Tieleman and Hinton 2012), LAMB (You et al. 2020)."),
      .init(
        "optimizer.learningRate", \.optimizer.learningRate, .number(.positive(to: 1000)),
        .derived("1 for sgd, 0.001 for rmsprop, 0.01 for lamb, else 0.005") {
          switch $0.optimizer.name {
          case .sgd: "1"
          case .rmsprop: "0.001"
          case .lamb: "0.01"
          case .adam, .adamw: "0.005"
          }
        },
        "The factor of the update by the gradient of the global batch: the same for any number of ranks."),
      .init(
        "optimizer.clip", \.optimizer.clip, .number(0...1_000_000), .always("1"),
        "Gradients whose global norm is above this are scaled down to it; 0 never clips."),
      .init(
        "optimizer.clipBy", \.optimizer.clipBy, .choice, .always("norm"),
        "What optimizer.clip limits: the global norm (Pascanu et al. 2013), or each element of the gradient, which is kept "
          + "within its negative and itself."),
      .init(
        "optimizer.beta1", \.optimizer.beta1, .number(.belowOne), .always("0.9"),
        "The decay of the mean gradient of Adam, AdamW and LAMB."),
      .init(
        "optimizer.beta2", \.optimizer.beta2, .number(.belowOne),
        .derived("0.99 for rmsprop, else 0.999") { $0.optimizer.name == .rmsprop ? "0.99" : "0.999" },
        "The decay of the mean squared gradient of Adam, AdamW, LAMB and RMSProp."),
      .init(
        "optimizer.epsilon", \.optimizer.epsilon, .number(.positive(to: 1)), .always("1e-8"),
        "What Adam, AdamW, LAMB and RMSProp add to their divisor."),
      .init(
        "optimizer.momentum", \.optimizer.momentum, .number(.belowOne), .always("0"),
        scope: .optimizers(.sgd, .rmsprop),
        "What is left of the velocity at each update; the gradient is added to it."),
      .init(
        "optimizer.nesterov", \.optimizer.nesterov, .flag, .always("false"), scope: .optimizers(.sgd),
        "Nesterov's momentum, which steps ahead before the gradient counts; needs optimizer.momentum."),
      .init(
        "optimizer.weightDecay", \.optimizer.weightDecay, .number(0...1000),
        .derived("0.01 for adamw and lamb, else 0") { [.adamw, .lamb].contains($0.optimizer.name) ? "0.01" : "0" },
        "How strongly every parameter is drawn to 0: for adamw and lamb apart from the gradient, else this share of the "
          + "parameter is added to its gradient, after clipping."
      ).explained(
        "Below 1 / learning rate."),
      .init(
        "optimizer.average", \.optimizer.average, .choice, .always("never"),
        "From when on the model is the average of the parameters after each update (Polyak and Juditsky 1992): never, from a "
          + "step on, or as soon as an evaluation is worse than the best but for the last optimizer.averagePatience ones "
          + "(NT-ASGD with sgd: Merity et al. 2018). Evaluations, checkpoints and the result have the average."),
      .init(
        "optimizer.averageFrom", \.optimizer.averageFrom, .integer(0...1_000_000_000), .always("0"),
        scope: .averages(.fromStep), "The step whose parameters are the first of the average."),
      .init(
        "optimizer.averagePatience", \.optimizer.averagePatience, .integer(0...1_000_000),
        .derived("5 for non-monotonic, else 0") { $0.optimizer.average == .nonMonotonic ? "5" : "0" },
        scope: .averages(.nonMonotonic),
        "How many evaluations before it a worse one is not compared with: n of the paper."),
    ]
  }
}
