import Optimization

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

    /// - Parameter words: where they are not just the key and its values.
    init(
      _ key: String, _ values: [String], of value: @escaping @Sendable (Configuration) -> String, words: String? = nil
    ) {
      (self.key, self.values, self.value) = (key, values, value)
      self.words = words ?? "\(key) " + values.joined(separator: " or ")
    }

    /// What a configuration has in place of the values.
    func present(_ configuration: Configuration) -> String { "\(key) \(value(configuration))" }

    func contains(_ configuration: Configuration) -> Bool { values.contains(value(configuration)) }
  }
}

extension ConfigurationKey.Scope {
  static func tasks(_ tasks: Configuration.Task...) -> Self {
    Self("task", tasks.map(\.rawValue), of: { $0.task.rawValue })
  }

  static func tasks(where isIncluded: (Configuration.Task) -> Bool) -> Self {
    Self("task", Configuration.Task.allCases.filter(isIncluded).map(\.rawValue), of: { $0.task.rawValue })
  }

  static func sources(_ sources: Configuration.Data.Source...) -> Self {
    Self("data.source", sources.map(\.rawValue), of: { $0.data.source.rawValue })
  }

  static let tokens = Self(
    "data.tokens", Configuration.Data.Tokens.allCases.filter { $0 != .numbers }.map(\.rawValue),
    of: { $0.data.tokens.rawValue }, words: "models that read tokens")

  static func averages(_ kind: Averaging.Kind) -> Self {
    Self("optimizer.average", [kind.rawValue], of: { $0.optimizer.average.rawValue })
  }
}
