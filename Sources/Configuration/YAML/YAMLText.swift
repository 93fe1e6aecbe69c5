import Problems

/// Values as YAML scalars that every YAML reader takes for the same value.
enum YAMLText {
  /// The shortest decimals that read back to the same Double. YAML 1.1 wants a point before an exponent.
  static func number(_ value: Double) -> String {
    let text = "\(value)"
    guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }

  /// A number for a person: without ".0".
  static func short(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
  }

  /// A text in double quotes. Whatever is not a plain visible character is escaped: YAML does not allow all of them.
  static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "&": quoted += "\\x26"  // or reading it would see an anchor
      case " "..."~": quoted.unicodeScalars.append(scalar)
      default:
        if scalar.properties.isAlphabetic || scalar.properties.generalCategory == .decimalNumber {
          quoted.unicodeScalars.append(scalar)
        } else {
          let digits = String(scalar.value, radix: 16, uppercase: true)
          quoted += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
        }
      }
    }
    return quoted + "\""
  }
}
