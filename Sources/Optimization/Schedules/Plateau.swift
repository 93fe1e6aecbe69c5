import ExactMath

/// The learning rate falls by γ whenever `patience` evaluations in a row have brought no new best loss.
package struct PlateauSchedule: ScheduleRule {
  package static let description = RuleDescription(
    "plateau", title: "schedule.factor after each schedule.patience evaluations without a new best loss",
    keys: [.warmUp, .factor, .patience, .floor], defaults: [(.patience, "3")],
    dependsOnEvaluations: true, misfit: { $0[.patience] < 1 ? (.patience, "at least 1") : nil })

  private let patience: Int
  private let factor: Double
  private let floor: Double

  package init(_ values: RuleValues) {
    (patience, factor, floor) = (Int(values[.patience]), values[.factor], values[.floor])
  }

  package func factor(after n: Int, first: Int, _ evaluations: [Evaluation]) -> Double {
    // (S5) γ^k after k plateaus, at least f
    max(floor, power(factor, evaluations.plateaus(patience: patience)))
  }
}

extension RuleKey {
  package static let patience = RuleKey(
    "patience", .integer(0...1_000_000), "0",
    "Evaluations in a row without a new best loss before the learning rate falls.")
}
