/// Numbers in text form.
enum NumberText {
  /// The Float nearest to a decimal number such as `-12`, `.5` or `6.02e23`, spaces and tabs around it passed over; nil
  /// for anything else, for what rounds to infinity, and for the names of infinity and NaN.
  static func value(_ text: some StringProtocol) -> Float? {
    let bytes = withoutBlanks(text)
    guard isDecimal(bytes), let value = Float(String(decoding: bytes, as: UTF8.self)), value.isFinite else {
      return nil
    }
    return value
  }

  /// A whole number, spaces and tabs around it passed over; nil for anything else.
  static func wholeNumber(_ text: some StringProtocol) -> Int? {
    Int(String(decoding: withoutBlanks(text), as: UTF8.self))
  }

  private static func withoutBlanks(_ text: some StringProtocol) -> ArraySlice<UInt8> {
    var bytes = Array(text.utf8)[...]
    func isBlank(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 }
    while isBlank(bytes.first) { bytes.removeFirst() }
    while isBlank(bytes.last) { bytes.removeLast() }
    return bytes
  }

  /// True for [sign] digits [. digits] [e [sign] digits], with a digit before or behind the point.
  private static func isDecimal(_ bytes: ArraySlice<UInt8>) -> Bool {
    var rest = bytes
    func skip(_ accepted: String) -> Int {
      let count = rest.prefix { accepted.utf8.contains($0) }.count
      rest = rest.dropFirst(count)
      return count
    }
    func skipSign() { if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() } }
    let digits = "0123456789"
    skipSign()
    var mantissa = skip(digits)
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      mantissa += skip(digits)
    }
    guard mantissa > 0 else { return false }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
      rest.removeFirst()
      skipSign()
      if skip(digits) == 0 { return false }
    }
    return rest.isEmpty
  }

  /// True for the usual ways to write that there is no value: nothing, `NA`, `NaN`, `null`, `?` in any case.
  static func isMissing(_ text: some StringProtocol) -> Bool {
    let trimmed = text.utf8.filter { $0 != 0x20 && $0 != 0x09 }
    return trimmed.count <= 4
      && ["", "na", "n/a", "nan", "null", "?"].contains(String(decoding: trimmed, as: UTF8.self).lowercased())
  }
}
