import ExactMath

/// The learning rate falls along half a cosine, down to f at update number `end` of the run, which counts from its start
/// (Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, equation 5; a restart is a
/// schedule that begins later).
package struct CosineSchedule: ScheduleRule {
  package static let description = RuleDescription(
    "cosine", title: "half a cosine down to schedule.floor", paper: "Loshchilov and Hutter 2017",
    keys: [.warmUp, .begin, .end, .floor],
    misfit: { values in
      let (begin, warmUp) = (values[integer: "begin"], values[integer: "warmUp"])
      if values[integer: "end"] > begin + warmUp { return nil }
      let expected =
        begin == 0
        ? "more than schedule.warmUp, here \(warmUp)"
        : "more than schedule.begin and schedule.warmUp, here \(begin) + \(warmUp)"
      return (.end, expected)
    })

  private let end: Int
  private let floor: Double

  package init(_ values: RuleValues) { (end, floor) = (Int(values[.end]), values[.floor]) }

  package func factor(after n: Int, first: Int, _ evaluations: [Evaluation]) -> Double {
    // (S4) f + (1 − f)·(1 + cos(π·n / N)) / 2, with N updates from the warm-up to the end
    let share = Double(n) / Double(max(1, end - first))
    return floor + (1 - floor) * (1 + cosineOfHalfTurn(min(1, share))) / 2
  }
}

extension RuleKey {
  package static let begin = RuleKey(
    "begin", .integer(0...1_000_000_000), "0",
    "The update at which the cosine, with its warm-up, begins: 0 in a new run. A run that goes on can have a new one "
      + "from there: schedule.begin is then the step after which it goes on, and schedule.end is later.")
  package static let end = RuleKey(
    "end", .integer(0...1_000_000_000),
    .following(words: "training.steps for cosine, but behind the warm-up; else 0") { totalSteps, values in
      max(totalSteps, values[integer: "begin"] + values[integer: "warmUp"] + 1)
    }, "The update at which the cosine is at its end, counted from the start of the run.",
    details: "It changes on resume only with `schedule.begin`: what has been trained stays as it was.")
}
