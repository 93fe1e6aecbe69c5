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
