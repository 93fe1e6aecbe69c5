import ExactMath

/// The learning rate falls by γ over each `every` updates, a little in each.
package struct ExponentialSchedule: ScheduleRule {
  package static let description = RuleDescription(
    "exponential", title: "the same little by little", keys: [.warmUp, .every, .factor, .floor],
    defaults: [(.every, "1000")],
    misfit: { $0[.every] < 1 ? (.every, "at least 1") : nil })

  private let every: Int
  private let factor: Double
  private let floor: Double

  package init(_ values: RuleValues) {
    (every, factor, floor) = (Int(values[.every]), values[.factor], values[.floor])
  }

  package func factor(after n: Int, first: Int, _ evaluations: [Evaluation]) -> Double {
    // (S3) γ^(n / every), at least f
    max(floor, power(root(factor, every), n))
  }
}
