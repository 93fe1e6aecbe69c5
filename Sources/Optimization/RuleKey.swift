/// A key of the configuration that some rules of the update, or some schedules, have. It is declared once: in the file of
/// the rule that alone has it, or in `SharedKeys.swift`.
package struct RuleKey: Sendable {
  /// What it takes.
  package enum Values: Sendable {
    case number(ClosedRange<Double>)
    case integer(ClosedRange<Int>)
    case flag
  }

  /// Its value where neither the user nor the rule says another.
  package enum Default: Sendable {
    /// As a user would write it.
    case text(String)
    /// For the rules that have the key, what follows from the steps of the run and the values of earlier keys, and words
    /// for it; 0 for others.
    case following(words: String, @Sendable (_ totalSteps: Int, _ values: RuleValues) -> Int)
  }

  /// Its name within its section, such as `beta1`.
  package let name: String
  /// What it takes.
  package let values: Values
  /// Its usual value.
  package let usual: Default
  /// Whether it can be given to rules that do not have it, and then means nothing.
  package let isForAll: Bool
  /// What it does; `{rules}` stands for the titles of the rules that have it.
  package let help: String
  /// What the table of all keys adds to that, in Markdown.
  package let details: String

  /// - Parameter usual: as a user would write it.
  init(
    _ name: String, _ values: Values, _ usual: String, isForAll: Bool = false, _ help: String, details: String = ""
  ) {
    self.init(name, values, .text(usual), isForAll: isForAll, help, details: details)
  }

  init(
    _ name: String, _ values: Values, _ usual: Default, isForAll: Bool = false, _ help: String, details: String = ""
  ) {
    (self.name, self.values, self.usual, self.isForAll) = (name, values, usual, isForAll)
    (self.help, self.details) = (help, details)
  }
}

/// Values of the keys of a rule; 0, or false, where none has been written.
package struct RuleValues: Equatable, Sendable {
  private var numbers: [String: Double] = [:]

  /// Nothing is written yet.
  package init() {}

  package subscript(number name: String) -> Double {
    get { numbers[name] ?? 0 }
    set { numbers[name] = newValue }
  }

  package subscript(integer name: String) -> Int {
    get { Int(self[number: name]) }
    set { self[number: name] = Double(newValue) }
  }

  package subscript(flag name: String) -> Bool {
    get { self[number: name] == 1 }
    set { self[number: name] = newValue ? 1 : 0 }
  }

  package subscript(_ key: RuleKey) -> Double { self[number: key.name] }
}

extension RuleValues: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (RuleKey, Double)...) {
    numbers = Dictionary(uniqueKeysWithValues: elements.map { ($0.name, $1) })
  }
}

/// What the configuration must know of a rule of the update, or of a schedule.
package struct RuleDescription: Sendable {
  /// What the configuration calls it.
  package let name: String
  /// What people call it; of a schedule, what the learning rate is multiplied by.
  package let title: String
  /// Authors and year.
  package let paper: String?
  /// Its keys, in the order in which they are written.
  package let keys: [RuleKey]
  /// Values that are usual with it alone, as a user would write them.
  package let defaults: [(key: RuleKey, text: String)]
  /// Whether evaluations decide about it.
  package let dependsOnEvaluations: Bool
  /// The first key whose value does not fit the others, and what was expected of it.
  package let misfit: @Sendable (RuleValues) -> (key: RuleKey, expected: String)?

  init(
    _ name: String, title: String, paper: String? = nil, keys: [RuleKey],
    defaults: [(key: RuleKey, text: String)] = [], dependsOnEvaluations: Bool = false,
    misfit: @escaping @Sendable (RuleValues) -> (key: RuleKey, expected: String)? = { _ in nil }
  ) {
    (self.name, self.title, self.paper, self.keys) = (name, title, paper, keys)
    (self.defaults, self.dependsOnEvaluations, self.misfit) = (defaults, dependsOnEvaluations, misfit)
  }

  /// Whether it has a key.
  package func has(_ key: RuleKey) -> Bool { keys.contains { $0.name == key.name } }
}

extension [RuleDescription] {
  /// The keys of all, each once: a key stands before those that it stands before in a rule.
  package var keys: [RuleKey] {
    var all: [RuleKey] = []
    for rule in self {
      for (index, key) in rule.keys.enumerated() where !all.contains(where: { $0.name == key.name }) {
        let later = rule.keys[(index + 1)...].map(\.name)
        all.insert(key, at: all.firstIndex { later.contains($0.name) } ?? all.count)
      }
    }
    return all
  }
}
