/// How the values of a key are written and read. A type that one key alone has stands beside that key.
struct ValueType<Value: Sendable>: Sendable {
  /// The values in words.
  let expected: String
  /// Some of them as a user writes them.
  let examples: [String]
  /// A value as a YAML scalar, which `read` reads back to an equal value.
  let text: @Sendable (Value) -> String
  /// Nil for what is none of the values.
  let read: @Sendable (Scalar) -> Value?
}

extension ValueType where Value == Int {
  static func integer(_ range: ClosedRange<Int>) -> Self {
    Self(
      expected: "an integer from \(range.lowerBound) to \(range.upperBound)",
      examples: [0, 1, 2, 7, range.upperBound].filter(range.contains).map(String.init), text: { String($0) },
      read: { $0.integer(Int.self).flatMap { range.contains($0) ? $0 : nil } })
  }

  /// Whole seconds, written as such or with units: 3600, 90m, 1h30m, 2d.
  static let duration = Self(
    expected: "seconds or a time such as 90m or 1h30m, at most 10000d", examples: ["0", "90m", "1h30m"],
    text: { String($0) }, read: { $0.seconds.flatMap { $0 <= 10_000 * 86_400 ? $0 : nil } })
}

extension ValueType where Value == UInt64 {
  static let seed = Self(
    expected: "an integer from 0 to \(UInt64.max)", examples: ["0", "7", "\(UInt64.max)"], text: { String($0) },
    read: { $0.integer(UInt64.self) })
}

extension ValueType where Value == Double {
  static func number(_ range: ClosedRange<Double>) -> Self {
    Self(
      expected: "a number from \(YAMLText.short(range.lowerBound)) to \(YAMLText.short(range.upperBound))",
      examples: examples(range), text: YAMLText.number, read: { $0.number.flatMap { range.contains($0) ? $0 : nil } })
  }

  /// A share, written as a number or in percent: 0.02 or 2%.
  static func share(_ range: ClosedRange<Double>) -> Self {
    Self(
      expected: "a share from \(YAMLText.short(range.lowerBound)) to \(YAMLText.short(range.upperBound)), such as 0.02 "
        + "or 2%",
      examples: examples(range) + ["2%"], text: YAMLText.number,
      read: { $0.share.flatMap { range.contains($0) ? $0 : nil } })
  }

  private static func examples(_ range: ClosedRange<Double>) -> [String] {
    [0, 0.0625, 1, range.lowerBound, range.upperBound].filter(range.contains).map(YAMLText.number)
  }
}

extension ValueType where Value == Bool {
  static let flag = Self(
    expected: "true or false", examples: ["true", "false"], text: { String($0) },
    read: { $0.isQuoted ? nil : Bool($0.text) })
}

extension ValueType where Value == String {
  /// Any text, such as a path.
  static func text(_ expected: String, examples: [String] = ["x", "y"]) -> Self {
    Self(
      expected: expected, examples: examples, text: YAMLText.quoted,
      read: { $0.text.utf8.contains(0) ? nil : $0.text })
  }
}

extension ValueType where Value == String {
  /// One of some names.
  static func name(of names: [String]) -> Self {
    Self(
      expected: names.joined(separator: " or "), examples: names, text: { $0 },
      read: { names.contains($0.text) ? $0.text : nil })
  }
}

extension ValueType where Value: RawRepresentable<String> & CaseIterable {
  /// One of the cases of an enumeration.
  static var choice: Self {
    let names = Value.allCases.map(\.rawValue)
    return Self(
      expected: names.joined(separator: " or "), examples: names, text: { $0.rawValue },
      read: { Value(rawValue: $0.text) })
  }
}
