import Problems

/// A strict JSON reader (RFC 8259) for text that may be hostile. The caller asks for the value that it expects and gets
/// it or a `Failure`; no tree is built, so memory and recursion are the caller's and not the text's. A key that occurs
/// twice in an object is a failure, where most parsers silently keep one of the two.
package struct JSONReader {
  /// What the text should have held, and what it holds, at which byte.
  package struct Failure: Error {
    package let expected: String
    package let got: String
    package let offset: Int
  }

  private let bytes: [UInt8]
  private var position = 0
  private let deepest = 32

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads an object; `member` reads the value of each key.
  package mutating func object(_ member: (inout JSONReader, String) throws -> Void) throws {
    try take("{", "an object")
    if takeIfNext("}") { return }
    var seen = Set<String>()
    repeat {
      skipWhitespace()
      let start = position
      let key = try string("a key")
      guard seen.insert(key).inserted else {
        throw Failure(expected: "each key once", got: "\(quoted(key)) twice", offset: start)
      }
      try take(":", "a colon")
      try member(&self, key)
    } while takeIfNext(",")
    try take("}", "a comma or }")
  }

  /// Reads an array; `element` reads each of its values.
  package mutating func array(_ element: (inout JSONReader) throws -> Void) throws {
    try take("[", "an array")
    if takeIfNext("]") { return }
    repeat { try element(&self) } while takeIfNext(",")
    try take("]", "a comma or ]")
  }

  /// Reads an integer that fits in `Number`: no fraction, no exponent, no leading zero.
  package mutating func integer<Number: FixedWidthInteger>(_ type: Number.Type = Int.self) throws -> Number {
    skipWhitespace()
    let start = position
    let literal = try number("an integer")
    guard let value = Number(literal) else {
      let limits = "an integer from \(Number.min) to \(Number.max)"
      throw Failure(expected: limits, got: String(literal.prefix(30)), offset: start)
    }
    return value
  }

  /// Reads a number, or null for none.
  package mutating func optionalDouble() throws -> Double? { try takeNull() ? nil : try double() }

  /// Reads null, if it is next.
  package mutating func takeNull() throws -> Bool {
    skipWhitespace()
    guard current == UInt8(ascii: "n") else { return false }
    try word("null")
    return true
  }

  /// Reads a string.
  package mutating func string(_ expected: String = "a string") throws -> String {
    try take("\"", expected)
    let start = position
    var text: [UInt8] = []
    while let byte = current, byte != UInt8(ascii: "\"") {
      if byte < 0x20 { throw failure("an escaped control character") }
      position += 1
      if byte == UInt8(ascii: "\\") {
        text.append(contentsOf: String(try escape()).utf8)
      } else {
        text.append(byte)
      }
    }
    guard current != nil else { throw failure("a closing quotation mark") }
    position += 1
    guard let result = String(validating: text, as: UTF8.self) else {
      throw Failure(expected: "UTF-8 text", got: "bytes that are not UTF-8", offset: start)
    }
    return result
  }

  /// Reads a number, rounded to the nearest Double.
  package mutating func double() throws -> Double {
    let text = try number("a number")
    guard let value = Double(text) else { throw failure("a number", got: quoted(text)) }
    return value
  }

  /// Reads any one value and forgets it; not deeper than 32 levels.
  package mutating func skipValue(depth: Int = 0) throws {
    skipWhitespace()
    guard depth < deepest else { throw failure("at most \(deepest) levels of nesting", got: "more") }
    switch current {
    case UInt8(ascii: "{"): try object { reader, _ in try reader.skipValue(depth: depth + 1) }
    case UInt8(ascii: "["): try array { reader in try reader.skipValue(depth: depth + 1) }
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    default: _ = try number("a value")
    }
  }

  /// Where a byte of the text stands: its line and column, from 1.
  package func place(of offset: Int) -> (line: Int, column: Int) {
    let before = bytes.prefix(offset)
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    return (line, offset - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1)
  }

  /// Checks that only white space is left.
  package mutating func end() throws {
    skipWhitespace()
    guard current == nil else { throw failure("the end") }
  }

  /// A failure at the place where the reader stands.
  package func failure(_ expected: String, got: String? = nil) -> Failure {
    Failure(expected: expected, got: got ?? next, offset: position)
  }

}

// MARK: Tokens

extension JSONReader {
  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// The next byte in words.
  private var next: String {
    switch current {
    case nil: "the end of the text"
    case UInt8(ascii: "{"): "an object"
    case UInt8(ascii: "["): "an array"
    case UInt8(ascii: "\""): "a string"
    case .some(let byte) where byte == UInt8(ascii: "-") || isDigit(byte): "a number"
    case .some(let byte) where isLetter(byte):
      quoted(String(decoding: bytes[position...].prefix(20).prefix(while: isLetter), as: UTF8.self))
    case .some(let byte) where byte > 0x20 && byte < 0x7f: quoted(String(UnicodeScalar(byte)))
    case .some(let byte): "byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }

  private func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }

  private mutating func skipWhitespace() {
    while let byte = current, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { position += 1 }
  }

  private mutating func takeIfNext(_ character: UnicodeScalar) -> Bool {
    skipWhitespace()
    guard current == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func take(_ character: UnicodeScalar, _ expected: String) throws {
    guard takeIfNext(character) else { throw failure(expected) }
  }

  private mutating func word(_ word: String) throws {
    for byte in word.utf8 {
      guard current == byte else { throw failure(word) }
      position += 1
    }
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  /// A number's literal: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
  private mutating func number(_ expected: String) throws -> String {
    skipWhitespace()
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    if current == UInt8(ascii: "0") { position += 1 } else { try digits(expected) }
    if current == UInt8(ascii: ".") {
      position += 1
      try digits("a digit")
    }
    if let byte = current, byte | 0x20 == UInt8(ascii: "e") {
      position += 1
      if let sign = current, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
      try digits("a digit")
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func digits(_ expected: String) throws {
    guard let first = current, isDigit(first) else { throw failure(expected) }
    while let byte = current, isDigit(byte) { position += 1 }
  }

  /// The character of an escape sequence, behind its backslash.
  private mutating func escape() throws -> UnicodeScalar {
    guard let byte = current else { throw failure("an escape sequence") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return UnicodeScalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default:
      position -= 1
      throw failure("an escape sequence")
    }
  }

  /// `XXXX` of `\uXXXX`, and the second half where the first is a high surrogate.
  private mutating func unicodeEscape() throws -> UnicodeScalar {
    let first = try hexadecimal()
    if let scalar = UnicodeScalar(first) { return scalar }
    if first < 0xDC00, current == UInt8(ascii: "\\") {
      position += 1
      if current == UInt8(ascii: "u") {
        position += 1
        let second = try hexadecimal()
        if second >= 0xDC00, second < 0xE000,
          let scalar = UnicodeScalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        {
          return scalar
        }
      }
    }
    throw failure("a pair of surrogates", got: "half of one")
  }

  private mutating func hexadecimal() throws -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
        throw failure("a hexadecimal digit")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
