// Keys that several rules have. Numbers become Float where they are used. There a share close enough to 1 would be 1, and
// a factor small enough 0: the bounds keep a distance from both, also after Adam's bias correction.

extension ClosedRange<Double> {
  /// Shares below 1.
  package static let belowOne = 0...0.9999999

  /// Factors above 0.
  package static func positive(to most: Double) -> Self { 1e-30...most }
}

/// Of rules of the update.
extension RuleKey {
  package static let learningRate = RuleKey(
    "learningRate", .number(.positive(to: 1000)), "0.005",
    "The factor of the update by the gradient of the global batch: the same for any number of ranks.")
  package static let beta1 = RuleKey(
    "beta1", .number(.belowOne), "0.9", isForAll: true, "The decay of the mean gradient of {rules}.")
  package static let beta2 = RuleKey(
    "beta2", .number(.belowOne), "0.999", isForAll: true, "The decay of the mean squared gradient of {rules}.")
  package static let epsilon = RuleKey(
    "epsilon", .number(.positive(to: 1)), "1e-8", isForAll: true, "What {rules} add to their divisor.")
  package static let momentum = RuleKey(
    "momentum", .number(.belowOne), "0",
    "What is left of the velocity at each update; the gradient is added to it.")
  package static let weightDecay = RuleKey(
    "weightDecay", .number(0...1000), "0",
    "How strongly every parameter is drawn to 0: for adamw and lamb apart from the gradient, else this share of the "
      + "parameter is added to its gradient, after clipping.",
    details: "Below 1 / learning rate.")
}

/// Of schedules.
extension RuleKey {
  package static let warmUp = RuleKey(
    "warmUp", .integer(0...1_000_000_000), "0",
    "Updates over which the learning rate rises linearly at first; what schedule.name says begins after them.")
  package static let every = RuleKey(
    "every", .integer(0...1_000_000_000), "0", "Updates in which the learning rate falls by schedule.factor.")
  package static let factor = RuleKey(
    "factor", .number(1e-6...1), "0.5", "What the learning rate is multiplied by.")
  package static let floor = RuleKey(
    "floor", .number(0...1), "0", "The least share of the learning rate that is left after the warm-up.")
}
