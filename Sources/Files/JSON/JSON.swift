/// A JSON value to be written. Keys of an object keep the order in which they are given, text is compact, and a number
/// is the shortest one that reads back as the same Double. What JSON cannot say (NaN, infinity) is written as null.
package enum JSON: Sendable {
  /// `null`: a value that is absent.
  case null
  /// `true` or `false`.
  case boolean(Bool)
  /// An integer, for example a step.
  case integer(Int)
  /// An integer beyond `Int`, for example a seed.
  case unsigned(UInt64)
  /// A floating-point number, for example a loss.
  case number(Double)
  /// Text.
  case string(String)
  /// Values in order.
  case array([JSON])
  /// Keys and values in order.
  case object(JSONRecord)

  /// A number, or null where there is none.
  package static func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }

  /// The value as compact JSON.
  package var text: String {
    switch self {
    case .null: "null"
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .unsigned(let value): String(value)
    case .number(let value): value.isFinite ? value.description : "null"
    case .string(let value): JSON.literal(value)
    case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
    case .object(let record): record.text
    }
  }

  /// A string literal: quotation mark, backslash and control characters escaped, all else as it is.
  package static func literal(_ value: String) -> String {
    var result = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\u{0}"..<"\u{10}": result += "\\u000" + String(scalar.value, radix: 16)
      case "\u{10}"..<" ": result += "\\u00" + String(scalar.value, radix: 16)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

/// A JSON object whose keys keep their order, written as a dictionary literal:
/// `["event": "finished", "step": 500, "validationLoss": nil]`.
package struct JSONRecord: Sendable, ExpressibleByDictionaryLiteral {
  private var members: [(key: String, value: JSON)]

  /// A record of these keys and values, in this order.
  package init(dictionaryLiteral elements: (String, JSON)...) { members = elements }

  /// A record of these keys and values, in this order.
  package init(_ members: [(key: String, value: JSON)]) { self.members = members }

  /// Adds a key at the end.
  package mutating func append(_ key: String, _ value: JSON) { members.append((key, value)) }

  /// The record as compact JSON on one line.
  package var text: String {
    "{" + members.map { JSON.literal($0.key) + ":" + $0.value.text }.joined(separator: ",") + "}"
  }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByArrayLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral
{
  /// `null`.
  package init(nilLiteral: ()) { self = .null }
  /// `true` or `false`.
  package init(booleanLiteral value: Bool) { self = .boolean(value) }
  /// An integer.
  package init(integerLiteral value: Int) { self = .integer(value) }
  /// A floating-point number.
  package init(floatLiteral value: Double) { self = .number(value) }
  /// Values in order.
  package init(arrayLiteral elements: JSON...) { self = .array(elements) }
  /// Keys and values in order.
  package init(dictionaryLiteral elements: (String, JSON)...) { self = .object(JSONRecord(elements.map { ($0, $1) })) }
  /// Text.
  package init(stringLiteral value: String) { self = .string(value) }
}
