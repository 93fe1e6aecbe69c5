import Optimization

extension Configuration {
  /// What the learning rate is multiplied by on the way.
  package struct Schedule: Sendable, Equatable {
    package internal(set) var name = ""
    package internal(set) var values = RuleValues()

    private static let rules = Optimization.Schedule.descriptions

    /// What there is to know of the schedule.
    var description: RuleDescription { Self.rules.first { $0.name == name }! }

    static let keys: [ConfigurationKey] =
      [named]
      + RuleKey.configurationKeys("schedule", rules, name: { $0.schedule.name }, \.schedule.values)

    private static let named = ConfigurationKey(
      "schedule.name", \.schedule.name, .name(of: rules.map(\.name)), .always("constant"),
      "What the learning rate is multiplied by: "
        + rules.map { "\($0.title) (\($0.name)\($0.paper.map { ", \($0)" } ?? ""))" }.joined(separator: "; ") + ".")
  }
}

extension Configuration.Schedule {
  /// The schedule itself.
  package var rule: Optimization.Schedule { Optimization.Schedule(name: name, values) }
  /// The update at which a cosine begins.
  package var begin: Int { values[integer: RuleKey.begin.name] }
  /// The update at which a cosine ends.
  package var end: Int { values[integer: RuleKey.end.name] }
  /// The least share of the learning rate.
  package var floor: Double { values[.floor] }
  /// Whether it has an end, behind which only the floor is left.
  package var hasEnd: Bool { description.has(.end) }
}
