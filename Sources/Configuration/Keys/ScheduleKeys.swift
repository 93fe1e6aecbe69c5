extension Configuration {
  /// What the learning rate is multiplied by on the way.
  package struct Schedule: Sendable, Equatable {
    /// How the learning rate falls.
    package enum Name: String, Sendable, CaseIterable {
      /// Not at all, in steps, steadily, along half a cosine, where the validation loss stays.
      case constant, step, exponential, cosine, plateau
    }

    package internal(set) var name = Name.constant
    package internal(set) var warmUp = 0
    package internal(set) var every = 0
    package internal(set) var factor = 0.0
    package internal(set) var begin = 0
    package internal(set) var end = 0
    package internal(set) var patience = 0
    package internal(set) var floor = 0.0

    static let keys: [ConfigurationKey] = [
      .init(
        "schedule.name", \.schedule.name, .choice, .always("constant"),
        "What the learning rate is multiplied by: 1; schedule.factor after each schedule.every updates (step), or little by "
          + "little (exponential); half a cosine down to schedule.floor (Loshchilov and Hutter 2017); schedule.factor after "
          + "each schedule.patience evaluations without a new best loss (plateau)."),
      .init(
        "schedule.warmUp", \.schedule.warmUp, .integer(0...1_000_000_000), .always("0"),
        "Updates over which the learning rate rises linearly at first; what schedule.name says begins after them."),
      .init(
        "schedule.every", \.schedule.every, .integer(0...1_000_000_000),
        .derived("1000 for step and exponential, else 0") {
          [.step, .exponential].contains($0.schedule.name) ? "1000" : "0"
        }, scope: .schedules(.step, .exponential), "Updates in which the learning rate falls by schedule.factor."),
      .init(
        "schedule.factor", \.schedule.factor, .number(1e-6...1), .always("0.5"),
        scope: .schedules(.step, .exponential, .plateau),
        "What the learning rate is multiplied by."),
      .init(
        "schedule.begin", \.schedule.begin, .integer(0...1_000_000_000), .always("0"), scope: .schedules(.cosine),
        "The update at which the cosine, with its warm-up, begins: 0 in a new run. A run that goes on can have a new one "
          + "from there: schedule.begin is then the step after which it goes on, and schedule.end is later."),
      .init(
        "schedule.end", \.schedule.end, .integer(0...1_000_000_000),
        .derived("training.steps for cosine, but behind the warm-up; else 0") {
          guard $0.schedule.name == .cosine else { return "0" }
          return String(max($0.training.steps, $0.schedule.begin + $0.schedule.warmUp + 1))
        }, scope: .schedules(.cosine),
        "The update at which the cosine is at its end, counted from the start of the run."
      ).explained(
        "It changes on resume only with `schedule.begin`: what has been trained stays as it was."),
      .init(
        "schedule.patience", \.schedule.patience, .integer(0...1_000_000),
        .derived("3 for plateau, else 0") { $0.schedule.name == .plateau ? "3" : "0" }, scope: .schedules(.plateau),
        "Evaluations in a row without a new best loss before the learning rate falls."),
      .init(
        "schedule.floor", \.schedule.floor, .number(0...1), .always("0"),
        scope: .schedules(.step, .exponential, .cosine, .plateau),
        "The least share of the learning rate that is left after the warm-up."),
    ]
  }
}
