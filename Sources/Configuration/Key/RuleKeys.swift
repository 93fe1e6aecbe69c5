import Optimization

extension RuleKey {
  /// The keys of a section whose rules are chosen by its key `name`: those of all rules, each for the rules that have it.
  static func configurationKeys(
    _ section: String, _ rules: [RuleDescription], name: @escaping @Sendable (Configuration) -> String,
    _ path: ConfigurationKey.Path<RuleValues>
  ) -> [ConfigurationKey] {
    rules.keys.map { key in
      let users = rules.filter { $0.has(key) }
      let scope = ConfigurationKey.Scope("\(section).name", users.map(\.name), of: name)
      let isScoped = users.count < rules.count && !key.isForAll
      func make<Value>(
        _ type: ValueType<Value>, get: @escaping @Sendable (RuleValues) -> Value,
        set: @escaping @Sendable (inout RuleValues, Value) -> Void
      ) -> ConfigurationKey {
        ConfigurationKey(
          "\(section).\(key.name)", get: { get($0[keyPath: path]) }, set: { set(&$0[keyPath: path], $1) }, type,
          key.fallback(users, name: name, path), scope: isScoped ? scope : nil,
          key.help.replacing("{rules}", with: words(users.map(\.title)))
        ).explained(key.details)
      }
      return switch key.values {
      case .number(let range):
        make(.number(range), get: { $0[number: key.name] }, set: { $0[number: key.name] = $1 })
      case .integer(let range):
        make(.integer(range), get: { $0[integer: key.name] }, set: { $0[integer: key.name] = $1 })
      case .flag: make(.flag, get: { $0[flag: key.name] }, set: { $0[flag: key.name] = $1 })
      }
    }
  }

  /// - Parameter users: the rules that have the key.
  private func fallback(
    _ users: [RuleDescription], name: @escaping @Sendable (Configuration) -> String,
    _ path: ConfigurationKey.Path<RuleValues>
  ) -> ConfigurationKey.Fallback {
    switch usual {
    case .following(let words, let value):
      return .derived(words) { configuration in
        guard users.contains(where: { $0.name == name(configuration) }) else { return "0" }
        return String(value(configuration.training.steps, configuration[keyPath: path]))
      }
    case .text(let usual):
      let others = users.compactMap { user in
        user.defaults.first { $0.key.name == self.name }.map { (name: user.name, text: $0.text) }
      }
      if others.isEmpty { return .always(usual) }
      var texts: [String] = []
      for other in others where !texts.contains(other.text) { texts.append(other.text) }
      let parts = texts.map { text in
        "\(text) for \(Self.words(others.filter { $0.text == text }.map(\.name))), "
      }
      return .derived(parts.joined() + "else \(usual)") { configuration in
        others.first { $0.name == name(configuration) }?.text ?? usual
      }
    }
  }

  /// Such as "a, b and c".
  private static func words(_ names: [String]) -> String {
    guard names.count > 1 else { return names.joined() }
    return names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
  }
}
