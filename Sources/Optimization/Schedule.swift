/// What the learning rate, which is stated for the global batch and so the same for any number of ranks, is multiplied
/// by: a pure function of the updates made so far and of the evaluations before them.
package struct Schedule: Sendable {
  /// How the learning rate falls after the warm-up.
  private let decay: any ScheduleRule
  /// Updates over which it rises from nearly 0 at first (Goyal et al., "Accurate, Large Minibatch SGD", 2017).
  private let warmUp: Int
  /// The update at which it begins, as it does where a run goes on beyond its end: updates before it had another one.
  private let begin: Int

  /// Every schedule, in the order in which they are listed.
  private static let all: [any ScheduleRule.Type] = [
    ConstantSchedule.self, StepSchedule.self, ExponentialSchedule.self, CosineSchedule.self, PlateauSchedule.self,
  ]

  /// What there is to know of every schedule.
  package static let descriptions = all.map { $0.description }

  /// The learning rate is always the same.
  package static let constant = Schedule(.constant)

  /// - Precondition: intervals are at least 1, factors and floors in [0, 1], and the factor of an exponential is not 0.
  package init(_ decay: some ScheduleRule, warmUp: Int = 0, begin: Int = 0) {
    self.init(any: decay, warmUp: warmUp, begin: begin)
  }

  /// - Precondition: `name` is that of one of `descriptions`, whose `misfit` finds nothing.
  package init(name: String, _ values: RuleValues) {
    let rule = Self.all.first { $0.description.name == name }!.init(values)
    self.init(any: rule, warmUp: Int(values[.warmUp]), begin: Int(values[.begin]))
  }

  private init(any decay: any ScheduleRule, warmUp: Int, begin: Int) {
    (self.decay, self.warmUp, self.begin) = (decay, warmUp, begin)
  }

  /// The factor of update number `update`, counted from 0.
  package func factor(update: Int, evaluations: [Evaluation]) -> Double {
    let t = max(0, update - begin)
    // (S1) (t + 1) / w during a warm-up of w updates
    if t < warmUp { return Double(t + 1) / Double(warmUp) }
    return decay.factor(after: t - warmUp, first: begin + warmUp, evaluations)
  }

  /// Whether evaluations decide about it.
  package var dependsOnEvaluations: Bool { type(of: decay).description.dependsOnEvaluations }
}

/// How the learning rate falls after the warm-up. γ is a factor, f the floor. Each is a file in `Schedules/`.
package protocol ScheduleRule: Sendable {
  static var description: RuleDescription { get }

  init(_ values: RuleValues)

  /// The factor after `n` updates behind the warm-up.
  /// - Parameters:
  ///   - first: the number of the first update behind the warm-up, counted from the start of the run.
  ///   - evaluations: all before it.
  func factor(after n: Int, first: Int, _ evaluations: [Evaluation]) -> Double
}
