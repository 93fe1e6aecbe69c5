extension ConfigurationKey {
  static let optimizer: [ConfigurationKey] = [
    .choice(
      "optimizer.name", \.optimizer.name, .always("adam"),
      "The rule of the update: Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019), gradient descent, RMSProp "
        + "(Tieleman and Hinton 2012), LAMB (You et al. 2020)."),
    .number(
      "optimizer.learningRate", \.optimizer.learningRate, smallestFactor...1000,
      .derived("1 for sgd, 0.001 for rmsprop, 0.01 for lamb, else 0.005") {
        switch $0.optimizer.name {
        case .sgd: "1"
        case .rmsprop: "0.001"
        case .lamb: "0.01"
        case .adam, .adamw: "0.005"
        }
      },
      "The factor of the update by the gradient of the global batch: the same for any number of ranks."),
    .number(
      "optimizer.clip", \.optimizer.clip, 0...1_000_000, .always("1"),
      "Gradients whose global norm is above this are scaled down to it; 0 never clips."),
    .choice(
      "optimizer.clipBy", \.optimizer.clipBy, .always("norm"),
      "What optimizer.clip limits: the global norm (Pascanu et al. 2013), or each element of the gradient, which is kept "
        + "within its negative and itself."),
    .number(
      "optimizer.beta1", \.optimizer.beta1, share, .always("0.9"),
      "The decay of the mean gradient of Adam, AdamW and LAMB."),
    .number(
      "optimizer.beta2", \.optimizer.beta2, share,
      .derived("0.99 for rmsprop, else 0.999") { $0.optimizer.name == .rmsprop ? "0.99" : "0.999" },
      "The decay of the mean squared gradient of Adam, AdamW, LAMB and RMSProp."),
    .number(
      "optimizer.epsilon", \.optimizer.epsilon, smallestFactor...1, .always("1e-8"),
      "What Adam, AdamW, LAMB and RMSProp add to their divisor."),
    .number(
      "optimizer.momentum", \.optimizer.momentum, share, .always("0"), scope: .optimizers(.sgd, .rmsprop),
      "What is left of the velocity at each update; the gradient is added to it."),
    .flag(
      "optimizer.nesterov", \.optimizer.nesterov, .always("false"), scope: .optimizers(.sgd),
      "Nesterov's momentum, which steps ahead before the gradient counts; needs optimizer.momentum."),
    .number(
      "optimizer.weightDecay", \.optimizer.weightDecay, 0...1000,
      .derived("0.01 for adamw and lamb, else 0") { [.adamw, .lamb].contains($0.optimizer.name) ? "0.01" : "0" },
      "How strongly every parameter is drawn to 0: for adamw and lamb apart from the gradient, else this share of the "
        + "parameter is added to its gradient, after clipping."),
    .choice(
      "optimizer.average", \.optimizer.average, .always("never"),
      "From when on the model is the average of the parameters after each update (Polyak and Juditsky 1992): never, from a "
        + "step on, or as soon as an evaluation is worse than the best but for the last optimizer.averagePatience ones "
        + "(NT-ASGD with sgd: Merity et al. 2018). Evaluations, checkpoints and the result have the average."),
    .integer(
      "optimizer.averageFrom", \.optimizer.averageFrom, 0...1_000_000_000, .always("0"),
      scope: .averages(.fromStep), "The step whose parameters are the first of the average."),
    .integer(
      "optimizer.averagePatience", \.optimizer.averagePatience, 0...1_000_000,
      .derived("5 for non-monotonic, else 0") { $0.optimizer.average == .nonMonotonic ? "5" : "0" },
      scope: .averages(.nonMonotonic),
      "How many evaluations before it a worse one is not compared with: n of the paper."),
  ]

  static let schedule: [ConfigurationKey] = [
    .choice(
      "schedule.name", \.schedule.name, .always("constant"),
      "What the learning rate is multiplied by: 1; schedule.factor after each schedule.every updates (step), or little by "
        + "little (exponential); half a cosine down to schedule.floor (Loshchilov and Hutter 2017); schedule.factor after "
        + "each schedule.patience evaluations without a new best loss (plateau)."),
    .integer(
      "schedule.warmUp", \.schedule.warmUp, 0...1_000_000_000, .always("0"),
      "Updates over which the learning rate rises linearly at first; what schedule.name says begins after them."),
    .integer(
      "schedule.every", \.schedule.every, 0...1_000_000_000,
      .derived("1000 for step and exponential, else 0") {
        [.step, .exponential].contains($0.schedule.name) ? "1000" : "0"
      }, scope: .schedules(.step, .exponential), "Updates in which the learning rate falls by schedule.factor."),
    .number(
      "schedule.factor", \.schedule.factor, 1e-6...1, .always("0.5"), scope: .schedules(.step, .exponential, .plateau),
      "What the learning rate is multiplied by."),
    .integer(
      "schedule.begin", \.schedule.begin, 0...1_000_000_000, .always("0"), scope: .schedules(.cosine),
      "The update at which the cosine, with its warm-up, begins: 0 in a new run. A run that goes on can have a new one "
        + "from there: schedule.begin is then the step after which it goes on, and schedule.end is later."),
    .integer(
      "schedule.end", \.schedule.end, 0...1_000_000_000,
      .derived("training.steps for cosine, but behind the warm-up; else 0") {
        guard $0.schedule.name == .cosine else { return "0" }
        return String(max($0.training.steps, $0.schedule.begin + $0.schedule.warmUp + 1))
      }, scope: .schedules(.cosine), "The update at which the cosine is at its end, counted from the start of the run."),
    .integer(
      "schedule.patience", \.schedule.patience, 0...1_000_000,
      .derived("3 for plateau, else 0") { $0.schedule.name == .plateau ? "3" : "0" }, scope: .schedules(.plateau),
      "Evaluations in a row without a new best loss before the learning rate falls."),
    .number(
      "schedule.floor", \.schedule.floor, 0...1, .always("0"),
      scope: .schedules(.step, .exponential, .cosine, .plateau),
      "The least share of the learning rate that is left after the warm-up."),
  ]
}
