import Problems

/// One row of the table of keys, which alone decides how a key is read, checked, defaulted, written and documented.
package struct ConfigurationKey: Sendable {
  /// The dotted name, such as `model.hidden`.
  package let name: String
  /// The values it takes, such as "an integer from 1 to 65536".
  package let expected: String
  /// One sentence or two on what it does.
  package let documentation: String
  /// True where a resumed run may change the value: it then decides how long a run is, not what it computes.
  package let mayChangeOnResume: Bool
  /// What the key is for, nil for everything. Beyond it the key must keep its default.
  package let scope: Scope?

  let fallback: Fallback
  /// The value as a YAML scalar, which `write` reads back to an equal value.
  let text: @Sendable (Configuration) -> String
  /// Reads a scalar into the configuration; false if it is not one of the expected values.
  let write: @Sendable (Scalar, inout Configuration) -> Bool

  /// The configurations in which a key means something.
  package struct Scope: Sendable {
    /// What they have in common, such as "task reber".
    package let words: String
    /// What a configuration has in its place.
    let present: @Sendable (Configuration) -> String
    let contains: @Sendable (Configuration) -> Bool

    static func tasks(_ tasks: Configuration.Task...) -> Scope {
      Scope(
        words: "task " + tasks.map(\.rawValue).joined(separator: " or "), present: { "task \($0.task.rawValue)" },
        contains: { tasks.contains($0.task) })
    }

    static let tokens = Scope(
      words: "models that read tokens", present: { "data.tokens \($0.data.tokens.rawValue)" },
      contains: { $0.data.tokens != .numbers })

    static func optimizers(_ names: Configuration.Optimizer.Name...) -> Scope {
      Scope(
        words: "optimizer.name " + names.map(\.rawValue).joined(separator: " or "),
        present: { "optimizer.name \($0.optimizer.name.rawValue)" }, contains: { names.contains($0.optimizer.name) })
    }

    static func averages(_ kind: Configuration.Optimizer.Average) -> Scope {
      Scope(
        words: "optimizer.average \(kind.rawValue)",
        present: { "optimizer.average \($0.optimizer.average.rawValue)" }, contains: { $0.optimizer.average == kind })
    }

    static func schedules(_ names: Configuration.Schedule.Name...) -> Scope {
      Scope(
        words: "schedule.name " + names.map(\.rawValue).joined(separator: " or "),
        present: { "schedule.name \($0.schedule.name.rawValue)" }, contains: { names.contains($0.schedule.name) })
    }

    static func sources(_ sources: Configuration.Data.Source...) -> Scope {
      Scope(
        words: "data.source " + sources.map(\.rawValue).joined(separator: " or "),
        present: { "data.source \($0.data.source.rawValue)" }, contains: { sources.contains($0.data.source) })
    }
  }

  /// A key's default, as text that is read like any other value.
  enum Fallback: Sendable {
    case always(String)
    /// The value for most tasks, and those of the others.
    case byTask(String, KeyValuePairs<Configuration.Task, String>)
    /// The words for it, and the value that follows from what the user gave and from earlier rows of the table.
    case derived(String, @Sendable (Configuration) -> String)

    func value(_ configuration: Configuration) -> String {
      switch self {
      case .always(let value): value
      case .byTask(let usual, let others): others.first { $0.key == configuration.task }?.value ?? usual
      case .derived(_, let value): value(configuration)
      }
    }
  }

  /// The default in words, such as "32 (reber), else 256".
  package var defaultText: String {
    switch fallback {
    case .always(let value): value.isEmpty ? "none" : value
    case .byTask(let usual, let others):
      others.map { "\($0.value.isEmpty ? "none" : $0.value) (\($0.key.rawValue)), " }.joined()
        + "else \(usual.isEmpty ? "none" : usual)"
    case .derived(let words, _): words
    }
  }
}

/// A value as the user wrote it.
struct Scalar: Sendable, Equatable {
  var text: String
  /// Quoted in YAML, so a text even where it looks like a number.
  var isQuoted = false

  /// The number written in plain decimals; nil for hexadecimals, "nan", "1_000" and all that YAML's versions read
  /// differently.
  var number: Double? {
    guard !isQuoted, text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) else { return nil }
    return Double(text).flatMap { $0.isFinite ? $0 : nil }
  }

  /// The integer written in plain decimals without leading zeros, which YAML 1.1 takes for octal.
  func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer? {
    guard !isQuoted, let value = Integer(text), String(value) == text else { return nil }
    return value
  }

  /// A number, or one hundredth of the number that stands before a percent sign.
  var share: Double? {
    guard text.hasSuffix("%") else { return number }
    return Scalar(text: String(text.dropLast()), isQuoted: isQuoted).number.map { $0 / 100 }
  }

  /// Whole seconds: a plain number, or numbers with the units d, h, m and s, each at most once and in this order.
  var seconds: Int? {
    if let plain = integer(Int.self) { return plain >= 0 ? plain : nil }
    var (total, digits) = (0, "")
    var units: [(letter: Character, seconds: Int)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]
    for character in text {
      if let unit = units.firstIndex(where: { $0.letter == character }) {
        guard let number = Int(digits) else { return nil }
        let (seconds, overflows) = number.multipliedReportingOverflow(by: units[unit].seconds)
        let (sum, overflowsAgain) = total.addingReportingOverflow(seconds)
        if overflows || overflowsAgain { return nil }
        total = sum
        digits = ""
        units.removeFirst(unit + 1)
      } else {
        guard character.isASCII, character.isNumber else { return nil }
        digits.append(character)
      }
    }
    return digits.isEmpty && !text.isEmpty ? total : nil
  }
}

// MARK: - Kinds of values

extension ConfigurationKey {
  typealias Path<Value> = any WritableKeyPath<Configuration, Value> & Sendable

  static func integer(
    _ name: String, _ path: Path<Int>, _ range: ClosedRange<Int>, _ fallback: Fallback,
    scope: Scope? = nil, mayChangeOnResume: Bool = false, _ documentation: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      name: name, expected: "an integer from \(range.lowerBound) to \(range.upperBound)",
      documentation: documentation, mayChangeOnResume: mayChangeOnResume, scope: scope, fallback: fallback,
      text: { String($0[keyPath: path]) },
      write: { scalar, configuration in
        guard let value = scalar.integer(Int.self), range.contains(value) else { return false }
        configuration[keyPath: path] = value
        return true
      })
  }

  /// Whole seconds, written as such or with units: 3600, 90m, 1h30m, 2d.
  static func duration(
    _ name: String, _ path: Path<Int>, _ fallback: Fallback, mayChangeOnResume: Bool, _ documentation: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      name: name, expected: "seconds or a time such as 90m or 1h30m, at most 10000d", documentation: documentation,
      mayChangeOnResume: mayChangeOnResume, scope: nil, fallback: fallback,
      text: { String($0[keyPath: path]) },
      write: { scalar, configuration in
        guard let seconds = scalar.seconds, seconds <= 10_000 * 86_400 else { return false }
        configuration[keyPath: path] = seconds
        return true
      })
  }

  static func seed(
    _ name: String, _ path: Path<UInt64>, _ fallback: Fallback, _ documentation: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      name: name, expected: "an integer from 0 to \(UInt64.max)", documentation: documentation,
      mayChangeOnResume: false, scope: nil, fallback: fallback,
      text: { String($0[keyPath: path]) },
      write: { scalar, configuration in
        guard let value = scalar.integer(UInt64.self) else { return false }
        configuration[keyPath: path] = value
        return true
      })
  }

  static func number(
    _ name: String, _ path: Path<Double>, _ range: ClosedRange<Double>, _ fallback: Fallback,
    scope: Scope? = nil, mayChangeOnResume: Bool = false, _ documentation: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      name: name,
      expected: "a number from \(YAMLText.short(range.lowerBound)) to \(YAMLText.short(range.upperBound))",
      documentation: documentation, mayChangeOnResume: mayChangeOnResume, scope: scope, fallback: fallback,
      text: { YAMLText.number($0[keyPath: path]) },
      write: { scalar, configuration in
        guard let value = scalar.number, range.contains(value) else { return false }
        configuration[keyPath: path] = value
        return true
      })
  }

  /// A share, written as a number or in percent: 0.02 or 2%.
  static func share(
    _ name: String, _ path: Path<Double>, _ range: ClosedRange<Double>, _ fallback: Fallback,
    mayChangeOnResume: Bool, _ documentation: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      name: name,
      expected: "a share from \(YAMLText.short(range.lowerBound)) to \(YAMLText.short(range.upperBound)), such as 0.02 "
        + "or 2%",
      documentation: documentation, mayChangeOnResume: mayChangeOnResume, scope: nil, fallback: fallback,
      text: { YAMLText.number($0[keyPath: path]) },
      write: { scalar, configuration in
        guard let value = scalar.share, range.contains(value) else { return false }
        configuration[keyPath: path] = value
        return true
      })
  }

  static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, _ path: Path<Value>, _ fallback: Fallback,
    scope: Scope? = nil, mayChangeOnResume: Bool = false, _ documentation: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      name: name, expected: Value.allCases.map(\.rawValue).joined(separator: " or "), documentation: documentation,
      mayChangeOnResume: mayChangeOnResume, scope: scope, fallback: fallback,
      text: { $0[keyPath: path].rawValue },
      write: { scalar, configuration in
        guard let value = Value(rawValue: scalar.text) else { return false }
        configuration[keyPath: path] = value
        return true
      })
  }

  static func flag(
    _ name: String, _ path: Path<Bool>, _ fallback: Fallback, scope: Scope? = nil, mayChangeOnResume: Bool = false,
    _ documentation: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      name: name, expected: "true or false", documentation: documentation, mayChangeOnResume: mayChangeOnResume,
      scope: scope, fallback: fallback,
      text: { String($0[keyPath: path]) },
      write: { scalar, configuration in
        guard !scalar.isQuoted, let value = Bool(scalar.text) else { return false }
        configuration[keyPath: path] = value
        return true
      })
  }

  /// Any text, such as a path.
  static func text(
    _ name: String, _ path: Path<String>, expected: String, _ fallback: Fallback = .always(""), scope: Scope,
    _ documentation: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      name: name, expected: expected, documentation: documentation, mayChangeOnResume: false, scope: scope,
      fallback: fallback,
      text: { YAMLText.quoted($0[keyPath: path]) },
      write: { scalar, configuration in
        guard !scalar.text.utf8.contains(0) else { return false }
        configuration[keyPath: path] = scalar.text
        return true
      })
  }

  static func recompute(
    _ name: String, _ path: Path<Configuration.Training.Recompute>, _ fallback: Fallback, _ documentation: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      name: name, expected: "off, auto, or an integer from 1 to 131072", documentation: documentation,
      mayChangeOnResume: true, scope: nil, fallback: fallback,
      text: {
        switch $0[keyPath: path] {
        case .off: "off"
        case .auto: "auto"
        case .segments(let timesteps): String(timesteps)
        }
      },
      write: { scalar, configuration in
        switch scalar.text {
        case "off": configuration[keyPath: path] = .off
        case "auto": configuration[keyPath: path] = .auto
        default:
          guard let timesteps = scalar.integer(Int.self), (1...131_072).contains(timesteps) else { return false }
          configuration[keyPath: path] = .segments(timesteps)
        }
        return true
      })
  }

  static func validation(
    _ name: String, _ path: Path<Configuration.Data.Validation>, _ fallback: Fallback, scope: Scope,
    _ documentation: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      name: name, expected: "a fraction from 0 to below 1, or a path", documentation: documentation,
      mayChangeOnResume: false, scope: scope, fallback: fallback,
      text: {
        switch $0[keyPath: path] {
        case .none: "0"
        case .fraction(let share): YAMLText.number(share)
        case .file(let file): YAMLText.quoted(file)
        }
      },
      write: { scalar, configuration in
        if let share = scalar.number {
          guard (0..<1).contains(share) else { return false }
          configuration[keyPath: path] = share == 0 ? .none : .fraction(share)
        } else {
          guard !scalar.text.isEmpty, !scalar.text.utf8.contains(0) else { return false }
          configuration[keyPath: path] = .file(scalar.text)
        }
        return true
      })
  }
}
