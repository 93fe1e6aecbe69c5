import Configuration
import Files

extension Configuration {
  /// Every key with its value: numbers and truth values as such, all else as text.
  var json: JSONRecord { JSONRecord(values.map { ($0.key, JSON(yamlScalar: $0.value)) }) }
}

extension JSON {
  /// A scalar as `Configuration.yaml` writes it: texts that users chose stand in double quotes.
  fileprivate init(yamlScalar text: String) {
    self =
      if text.hasPrefix("\"") {
        .string(JSON.unquoted(text))
      } else if let truth = Bool(text) {
        .boolean(truth)
      } else if let integer = UInt64(text) {
        .unsigned(integer)
      } else if let number = Double(text), number.isFinite {
        .number(number)
      } else {
        .string(text)
      }
  }

  /// What stands between the quotes; its escapes are `\"`, `\\`, `\x` with two hexadecimal digits and `\U` with eight.
  private static func unquoted(_ text: String) -> String {
    var (rest, result) = (text.unicodeScalars.dropFirst().dropLast(), String.UnicodeScalarView())
    while let scalar = rest.popFirst() {
      guard scalar == "\\", let escape = rest.popFirst() else {
        result.append(scalar)
        continue
      }
      let digits = escape == "x" ? 2 : escape == "U" ? 8 : 0
      let code = UInt32(String(rest.prefix(digits)), radix: 16).flatMap(UnicodeScalar.init)
      rest = rest.dropFirst(digits)
      result.append(code ?? escape)
    }
    return String(result)
  }
}
