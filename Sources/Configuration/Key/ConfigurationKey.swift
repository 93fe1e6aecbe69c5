/// The declaration of a key, which alone decides how it is read, checked, defaulted, written and documented. It stands in
/// `Keys/`, below the field of `Configuration` that it fills.
package struct ConfigurationKey: Sendable {
  typealias Path<Value> = any WritableKeyPath<Configuration, Value> & Sendable

  /// The dotted name, such as `model.hidden`.
  package let name: String
  /// The values it takes, such as "an integer from 1 to 65536".
  package let expected: String
  /// Some of them as a user writes them.
  package let examples: [String]
  /// One sentence or two on what it does.
  package let documentation: String
  /// What the table of all keys adds to that, in Markdown.
  package private(set) var details = ""
  /// True where a resumed run may change the value: it then decides how long a run is, not what it computes.
  package let mayChangeOnResume: Bool
  /// What the key is for, nil for everything. Beyond it the key must keep its default.
  package let scope: Scope?

  let fallback: Fallback
  /// The value as a YAML scalar, which `write` reads back to an equal value.
  let text: @Sendable (Configuration) -> String
  /// The value as what it is.
  let value: @Sendable (Configuration) -> KeyValue
  /// Reads a scalar into the configuration; false if it is not one of the expected values.
  let write: @Sendable (Scalar, inout Configuration) -> Bool

  init<Value>(
    _ name: String, _ path: Path<Value>, _ values: ValueType<Value>, _ fallback: Fallback, scope: Scope? = nil,
    mayChangeOnResume: Bool = false, _ documentation: String
  ) {
    self.init(
      name, get: { $0[keyPath: path] }, set: { $0[keyPath: path] = $1 }, values, fallback, scope: scope,
      mayChangeOnResume: mayChangeOnResume, documentation)
  }

  init<Value>(
    _ name: String, get: @escaping @Sendable (Configuration) -> Value,
    set: @escaping @Sendable (inout Configuration, Value) -> Void, _ values: ValueType<Value>, _ fallback: Fallback,
    scope: Scope? = nil, mayChangeOnResume: Bool = false, _ documentation: String
  ) {
    self.name = name
    expected = values.expected
    examples = values.examples
    self.documentation = documentation
    self.mayChangeOnResume = mayChangeOnResume
    self.scope = scope
    self.fallback = fallback
    text = { values.text(get($0)) }
    value = {
      let value = get($0)
      return (value as? any KeyValueConvertible)?.keyValue ?? .text(values.text(value))
    }
    write = { scalar, configuration in
      guard let value = values.read(scalar) else { return false }
      set(&configuration, value)
      return true
    }
  }

  /// The same key with more to say in the table of all keys.
  func explained(_ details: String) -> ConfigurationKey {
    var key = self
    key.details = details
    return key
  }
}

extension ConfigurationKey {
  /// A key's default, as text that is read like any other value.
  enum Fallback: Sendable {
    case always(String)
    /// The value for most tasks; `Task.defaults` has those of the others.
    case byTask(String)
    /// The words for it, and the value that follows from what the user gave and from earlier keys.
    case derived(String, @Sendable (Configuration) -> String)
  }

  /// The value where the user gave none, as text.
  func usual(_ configuration: Configuration) -> String {
    switch fallback {
    case .always(let value): value
    case .byTask(let usual): configuration.task.defaults[name] ?? usual
    case .derived(_, let value): value(configuration)
    }
  }

  /// The default in words, such as "32 (reber), else 256".
  package var defaultText: String {
    switch fallback {
    case .always(let value): value.isEmpty ? "none" : value
    case .byTask(let usual):
      Configuration.Task.allCases.compactMap { task in task.defaults[name].map { "\($0) (\(task.rawValue)), " } }
        .joined()
        + "else \(usual)"
    case .derived(let words, _): words
    }
  }
}
