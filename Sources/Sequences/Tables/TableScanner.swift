import Problems

/// Goes through the bytes of a table once. All that has a meaning is ASCII, and UTF-8 has no ASCII byte inside a longer
/// scalar.
///
/// A field may stand in double quotes, within which two of them are one: RFC 4180. Between commas, semicolons and bars
/// a quote anywhere else is an error; between tabs and blanks it is a character like others, and a field stands in quotes
/// only where they close on the same line and a separator follows, as programs write that put quotes where they are
/// needed.
struct TableScanner {
  /// The place of a field, without its quotes.
  struct Field {
    let start: Int
    let end: Int
    let isQuoted: Bool
  }

  /// The table.
  let bytes: UnsafeBufferPointer<UInt8>
  /// What errors call it.
  let name: String
  let separator: TableForm.Separator
  /// Nil for blanks.
  private let delimiter: UInt8?
  /// Whether a quote inside a field without quotes is an error.
  private let isStrict: Bool
  /// Whether a line without any character is a row with one empty field.
  var keepsBlankLines = false
  /// What lines begin with that are no records; none where it is empty.
  var comment: [UInt8] = []
  /// The next byte.
  private(set) var place: Int
  /// Its line, from 1.
  private(set) var line: Int
  /// Lines without any character that were passed over.
  private(set) var blankLines: [Int] = []
  /// Lines that were passed over as comments.
  private(set) var comments: [Int] = []
  /// Fields that were taken out of quotes where they need none.
  private(set) var unquoted = 0

  init(
    _ bytes: UnsafeBufferPointer<UInt8>, separator: TableForm.Separator, name: String, place: Int = 0, line: Int = 1
  ) {
    (self.bytes, self.separator, self.name, self.place, self.line) = (bytes, separator, name, place, line)
    delimiter = separator.byte
    isStrict = separator != .tab && separator != .blanks
  }

  /// Reads the next record into `fields` and returns its line; nil at the end.
  mutating func record(_ fields: inout [Field]) throws(Problem) -> Int? {
    try skipLines()
    guard place < bytes.count else { return nil }
    let first = line
    fields.removeAll(keepingCapacity: true)
    if separator == .blanks { skipBlanks() }
    repeat { fields.append(try field()) } while try continues()
    return first
  }

  /// Passes over the rest of the line, whatever stands there.
  mutating func skipLine() {
    while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { place += 1 }
    if place < bytes.count {
      place += 1
      line += 1
    }
  }

  /// Goes on behind the mark of a comment and the blanks after it.
  mutating func skip(_ mark: UInt8) {
    precondition(bytes[place] == mark, "no such mark here")
    place += 1
    skipBlanks()
  }

  /// Whether nothing more stands on this line.
  var isAtEndOfLine: Bool { place == bytes.count || isEnd(bytes[place]) }

  /// The text of a field.
  func text(_ field: Field) -> String { String(decoding: content(field), as: UTF8.self) }

  /// The bytes of a field in place; two quotes within quotes are two there.
  func bytes(of field: Field) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: bytes[field.start..<field.end])
  }

  /// Whether a field has this text.
  func holds(_ field: Field, _ text: [UInt8]) -> Bool {
    let part = bytes(of: field)
    let isPlain = !field.isQuoted || !part.contains(UInt8(ascii: "\""))
    return isPlain ? part.elementsEqual(text) : content(field) == text
  }

  /// The bytes of a field.
  func content(_ field: Field) -> [UInt8] {
    let part = bytes[field.start..<field.end]
    guard field.isQuoted, part.contains(UInt8(ascii: "\"")) else { return Array(part) }
    var content: [UInt8] = []
    var index = field.start
    while index < field.end {
      content.append(bytes[index])
      index += bytes[index] == UInt8(ascii: "\"") ? 2 : 1
    }
    return content
  }

  // MARK: Lines

  /// Passes over comments and, unless they are rows, lines without any character.
  private mutating func skipLines() throws(Problem) {
    while place < bytes.count {
      let number = line
      if !comment.isEmpty, bytes[place...].starts(with: comment) {
        comments.append(number)
        skipLine()
      } else if !keepsBlankLines, try endLine() {
        blankLines.append(number)
      } else {
        return
      }
    }
  }

  /// Passes over the end of a line; false where there is none.
  private mutating func endLine() throws(Problem) -> Bool {
    if bytes[place] == UInt8(ascii: "\r") {
      guard place + 1 == bytes.count || bytes[place + 1] == UInt8(ascii: "\n") else {
        throw .data(
          "malformed table — expected a line feed behind a carriage return, got other text (\(name), line \(line))",
          hint: "lines that end in carriage returns alone: tr '\\r' '\\n' < FILE > NEW")
      }
      place += 1
      if place == bytes.count { return true }
    }
    guard bytes[place] == UInt8(ascii: "\n") else { return false }
    place += 1
    line += 1
    return true
  }

  /// True if another field follows in the same record.
  private mutating func continues() throws(Problem) -> Bool {
    if place == bytes.count { return false }
    if let delimiter, bytes[place] == delimiter {
      place += 1
      return true
    }
    if separator == .blanks, isBlank(bytes[place]) {
      skipBlanks()
      if place == bytes.count { return false }
      if !isEnd(bytes[place]) { return true }
    }
    return try !mustEndLine()
  }

  private mutating func mustEndLine() throws(Problem) -> Bool {
    guard try endLine() else {
      throw malformed(
        "expected \(separator == .comma ? "a comma" : separator.name) or the end of the line behind a closing quote")
    }
    return true
  }

  private mutating func skipBlanks() {
    while place < bytes.count, isBlank(bytes[place]) { place += 1 }
  }

  @inline(__always)
  private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  @inline(__always)
  private func isEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

  @inline(__always)
  private func ends(_ byte: UInt8) -> Bool {
    isEnd(byte) || (delimiter == nil ? isBlank(byte) : byte == delimiter!)
  }

  // MARK: Fields

  private mutating func field() throws(Problem) -> Field {
    if place < bytes.count && bytes[place] == UInt8(ascii: "\"") {
      if isStrict { return try quotedField() }
      if let field = fieldInQuotes() { return field }
    }
    let start = place
    while place < bytes.count && !ends(bytes[place]) {
      if isStrict && bytes[place] == UInt8(ascii: "\"") {
        throw malformed("expected no double quote inside a field without quotes")
      }
      place += 1
    }
    return Field(start: start, end: place, isQuoted: false)
  }

  /// A field in quotes that close on this line, before a separator or the end; nil where they do not.
  private mutating func fieldInQuotes() -> Field? {
    var index = place + 1
    while index < bytes.count, !isEnd(bytes[index]) {
      if bytes[index] == UInt8(ascii: "\"") {
        if index + 1 == bytes.count || ends(bytes[index + 1]) {
          let field = Field(start: place + 1, end: index, isQuoted: true)
          place = index + 1
          unquoted += 1
          return field
        }
        guard bytes[index + 1] == UInt8(ascii: "\"") else { return nil }
        index += 1
      }
      index += 1
    }
    return nil
  }

  private mutating func quotedField() throws(Problem) -> Field {
    let (first, start) = (line, place + 1)
    place += 1
    while place < bytes.count {
      let byte = bytes[place]
      place += 1
      if byte == UInt8(ascii: "\"") {
        guard place < bytes.count && bytes[place] == byte else {
          return Field(start: start, end: place - 1, isQuoted: true)
        }
        place += 1
      }
      if byte == UInt8(ascii: "\n") { line += 1 }
    }
    line = first
    throw malformed("expected a closing quote, got the end of the file")
  }

  private func malformed(_ what: String) -> Problem {
    .data(
      "malformed table — \(what) (\(name), line \(line))",
      hint: "a field with separators, quotes or line ends stands in double quotes, and each quote in it is doubled")
  }
}
