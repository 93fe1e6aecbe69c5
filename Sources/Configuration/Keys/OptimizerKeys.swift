import Optimization

extension Configuration {
  /// The parameter update.
  package struct Optimizer: Sendable, Equatable {
    package internal(set) var name = ""
    package internal(set) var values = RuleValues()
    package internal(set) var clip = 0.0
    package internal(set) var clipBy = Clipping.Kind.norm
    package internal(set) var average = Averaging.Kind.never
    package internal(set) var averageFrom = 0
    package internal(set) var averagePatience = 0

    private static let rules = OptimizerRule.descriptions

    /// What there is to know of the rule.
    var description: RuleDescription { Self.rules.first { $0.name == name }! }

    static let keys: [ConfigurationKey] = {
      let ofRules = RuleKey.configurationKeys(
        "optimizer", rules, name: { $0.optimizer.name }, \.optimizer.values)
      // Clipping acts on the gradient of every rule, so its keys stand after the learning rate, before the rules' own.
      return [named, ofRules[0]] + clippingKeys + ofRules.dropFirst() + averagingKeys
    }()

    private static let named = ConfigurationKey(
      "optimizer.name", \.optimizer.name, .name(of: rules.map(\.name)), .always("adam"),
      "The rule of the update: "
        + rules.map { $0.title + ($0.paper.map { " (\($0))" } ?? "") }.joined(separator: ", ") + ".")

    private static let clippingKeys: [ConfigurationKey] = [
      .init(
        "optimizer.clip", \.optimizer.clip, .number(0...1_000_000), .always("1"),
        "Gradients whose global norm is above this are scaled down to it; 0 never clips."),
      .init(
        "optimizer.clipBy", \.optimizer.clipBy, .choice, .always("norm"),
        "What optimizer.clip limits: the global norm (Pascanu et al. 2013), or each element of the gradient, which is kept "
          + "within its negative and itself."),
    ]

    private static let averagingKeys: [ConfigurationKey] = [
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

extension Configuration.Optimizer {
  /// The rule itself.
  package var rule: OptimizerRule { OptimizerRule(name: name, values) }
  /// The factor of the update, before any schedule.
  package var learningRate: Double { values[.learningRate] }
  /// How gradients are kept from being too large.
  package var clipping: Clipping { Clipping(clipBy, limit: clip) }
  /// From when on the model is the average of the parameters.
  package var averaging: Averaging { Averaging(average, step: averageFrom, patience: averagePatience) }
}
