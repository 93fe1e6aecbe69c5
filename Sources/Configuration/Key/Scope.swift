extension ConfigurationKey {
  /// The configurations in which a key means something: those where another key has one of some values.
  package struct Scope: Sendable {
    /// The other key.
    package let key: String
    /// Its values, as `config.yaml` has them.
    package let values: [String]
    /// What the configurations have in common, such as "task reber".
    package let words: String

    private let value: @Sendable (Configuration) -> String

    private init<Value: RawRepresentable<String> & Sendable>(
      _ key: String, _ path: Path<Value>, _ values: [Value], words: String? = nil
    ) {
      self.key = key
      self.values = values.map(\.rawValue)
      self.words = words ?? "\(key) " + self.values.joined(separator: " or ")
      value = { $0[keyPath: path].rawValue }
    }

    /// What a configuration has in place of the values.
    func present(_ configuration: Configuration) -> String { "\(key) \(value(configuration))" }

    func contains(_ configuration: Configuration) -> Bool { values.contains(value(configuration)) }
  }
}

extension ConfigurationKey.Scope {
  static func tasks(_ tasks: Configuration.Task...) -> Self { Self("task", \.task, tasks) }

  static func sources(_ sources: Configuration.Data.Source...) -> Self { Self("data.source", \.data.source, sources) }

  static let tokens = Self(
    "data.tokens", \.data.tokens, Configuration.Data.Tokens.allCases.filter { $0 != .numbers },
    words: "models that read tokens")

  static func optimizers(_ names: Configuration.Optimizer.Name...) -> Self {
    Self("optimizer.name", \.optimizer.name, names)
  }

  static func averages(_ kind: Configuration.Optimizer.Average) -> Self {
    Self("optimizer.average", \.optimizer.average, [kind])
  }

  static func schedules(_ names: Configuration.Schedule.Name...) -> Self {
    Self("schedule.name", \.schedule.name, names)
  }
}
