/// The learning rate does not fall.
package struct ConstantSchedule: ScheduleRule {
  package static let description = RuleDescription("constant", title: "1", keys: [.warmUp])

  package init(_ values: RuleValues) {}

  package func factor(after n: Int, first: Int, _ evaluations: [Evaluation]) -> Double { 1 }
}

extension ScheduleRule where Self == ConstantSchedule {
  package static var constant: Self { Self([:]) }
}
