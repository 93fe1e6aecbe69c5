import Glibc

/// Numbers in text form.
enum NumberText {
  /// How the numbers of a table are written.
  struct Style: Equatable {
    var decimal = TableForm.Decimal.point
    var thousands = TableForm.Thousands.none
    /// Texts that stand for no value.
    var holes: [[UInt8]] = []

    /// What stands before a fraction.
    var point: UInt8 { decimal == .point ? UInt8(ascii: ".") : UInt8(ascii: ",") }

    /// What stands between thousands; nil for nothing.
    var group: UInt8? {
      switch thousands {
      case .none: nil
      case .comma: UInt8(ascii: ",")
      case .point: UInt8(ascii: ".")
      case .blank: 0x20
      case .apostrophe: UInt8(ascii: "'")
      }
    }
  }

  /// The Double nearest to a decimal number such as `-12`, `.5` or `6.02e23`, spaces and tabs around it passed over; nil
  /// for anything else, for what rounds to infinity, and for the names of infinity and NaN.
  static func value(_ text: some StringProtocol, _ style: Style = Style()) -> Double? {
    var text = String(text)
    return text.withUTF8 { value($0, style) }
  }

  /// As above, of a field.
  static func value(_ text: UnsafeBufferPointer<UInt8>, _ style: Style = Style()) -> Double? {
    if let group = style.group { return grouped(text, group, style) }
    return plain(text, point: style.point)
  }

  /// The Float nearest to such a number: rounded once, not by way of a Double.
  static func single(_ text: some StringProtocol) -> Float? {
    guard value(text) != nil else { return nil }
    let digits = text.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
    return Float(digits).flatMap { $0.isFinite ? $0 : nil }
  }

  /// A whole number, spaces and tabs around it passed over; nil for anything else.
  static func wholeNumber(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
    Int(String(decoding: withoutBlanks(text), as: UTF8.self))
  }

  private static func withoutBlanks(_ text: UnsafeBufferPointer<UInt8>) -> Slice<UnsafeBufferPointer<UInt8>> {
    var (start, end) = (0, text.count)
    while start < end, text[start] == 0x20 || text[start] == 0x09 { start += 1 }
    while start < end, text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
    return text[start..<end]
  }

  /// [sign] digits [point digits] [e [sign] digits], with a digit before or behind the point.
  private static func plain(_ text: UnsafeBufferPointer<UInt8>, point: UInt8) -> Double? {
    let bytes = withoutBlanks(text)
    var place = bytes.startIndex
    let end = bytes.endIndex
    var isNegative = false
    if place < end, bytes[place] == UInt8(ascii: "-") || bytes[place] == UInt8(ascii: "+") {
      isNegative = bytes[place] == UInt8(ascii: "-")
      place += 1
    }
    var (mantissa, exponent, digits): (UInt64, Int, Int) = (0, 0, 0)
    // Of more digits than these the sum may not fit.
    var isExact = true
    func digit() -> UInt64? {
      guard place < end, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) else { return nil }
      return UInt64(bytes[place] - UInt8(ascii: "0"))
    }
    func add(_ digit: UInt64) {
      if mantissa < 1_000_000_000_000_000_000 { mantissa = 10 * mantissa + digit } else { isExact = false }
      digits += 1
      place += 1
    }
    while let next = digit() { add(next) }
    if place < end, bytes[place] == point {
      place += 1
      while let next = digit() {
        add(next)
        exponent -= 1
      }
    }
    guard digits > 0 else { return nil }
    if place < end, bytes[place] | 0x20 == UInt8(ascii: "e") {
      place += 1
      var isSmall = false
      if place < end, bytes[place] == UInt8(ascii: "-") || bytes[place] == UInt8(ascii: "+") {
        isSmall = bytes[place] == UInt8(ascii: "-")
        place += 1
      }
      guard digit() != nil else { return nil }
      var power = 0
      while let next = digit() {
        power = min(power * 10 + Int(next), 100_000)
        place += 1
      }
      exponent += isSmall ? -power : power
    }
    guard place == end else { return nil }
    // A whole number below 2⁵³ and a power of ten up to 22 are Doubles: the one operation rounds once, as it should.
    if isExact, mantissa < 1 << 53, powers.indices.contains(abs(exponent)) {
      let value = exponent < 0 ? Double(mantissa) / powers[-exponent] : Double(mantissa) * powers[exponent]
      return isNegative ? -value : value
    }
    let usual = String(decoding: bytes.map { $0 == point ? UInt8(ascii: ".") : $0 }, as: UTF8.self)
    return Double(usual).flatMap { $0.isFinite ? $0 : nil }
  }

  private static let powers: [Double] = (0...22).map { power in
    (0..<power).reduce(1.0) { value, _ in value * 10 }
  }

  /// As above, or one of the texts that a style names.
  static func isMissing(_ text: UnsafeBufferPointer<UInt8>, _ style: Style) -> Bool {
    isMissing(text) || style.holes.contains { withoutBlanks(text).elementsEqual($0) }
  }

  /// A number with something between its thousands: one to three digits, then groups of three. Spaces that do not break
  /// are blanks too.
  private static func grouped(_ text: UnsafeBufferPointer<UInt8>, _ group: UInt8, _ style: Style) -> Double? {
    let bytes = style.thousands == .blank ? withPlainBlanks(Array(withoutBlanks(text))) : Array(withoutBlanks(text))
    let end = bytes.firstIndex { $0 == style.point || $0 | 0x20 == UInt8(ascii: "e") } ?? bytes.count
    let parts = bytes[..<end].split(separator: group, omittingEmptySubsequences: false)
    if parts.count > 1 {
      let first = parts[0].drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
      guard (1...3).contains(first.count), parts.dropFirst().allSatisfy({ $0.count == 3 }) else { return nil }
    }
    return (Array(parts.joined()) + bytes[end...]).withUnsafeBufferPointer { plain($0, point: style.point) }
  }

  /// U+00A0, U+2009 and U+202F as blanks.
  private static func withPlainBlanks(_ bytes: [UInt8]) -> [UInt8] {
    let spaces: Set<Unicode.Scalar> = ["\u{A0}", "\u{2009}", "\u{202F}"]
    let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars.map { spaces.contains($0) ? " " : $0 }
    return Array(String(String.UnicodeScalarView(scalars)).utf8)
  }

  /// True for the usual ways to write that there is no value: nothing, `NA`, `N/A`, `NaN`, `null`, `None`, `?` in any
  /// case.
  static func isMissing(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let bytes = withoutBlanks(text)
    if bytes.isEmpty { return true }
    guard bytes.count <= 4 else { return false }
    return ["na", "n/a", "#n/a", "nan", "null", "none", "?"].contains(
      String(decoding: bytes, as: UTF8.self).lowercased())
  }

  /// As above, of a text.
  static func isMissing(_ text: some StringProtocol) -> Bool {
    var text = String(text)
    return text.withUTF8 { isMissing($0) }
  }
}
