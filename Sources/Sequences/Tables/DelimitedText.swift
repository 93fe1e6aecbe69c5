import Files
import Problems

/// Tables in text form: CSV as RFC 4180 has it, and TSV, in which quotes mean nothing. The first record names the
/// columns, and every other one must have as many fields.
///
/// Own, because a table that is silently put right trains a wrong model: the parsers for Swift fill ragged rows with
/// empty fields, drop surplus ones, let an open quote swallow the rest of the file, trim fields, take U+0085 inside a
/// sentence for the end of a line, and name no line in their errors.
///
/// Lines end with LF or CRLF; a byte order mark at the beginning and lines without any character are passed over.
struct DelimitedText {
  /// The names of the columns.
  let columns: [String]
  /// The fields of each record, as many as columns, and the line where it begins, counted from 1.
  let records: [(line: Int, fields: [String])]
  /// What errors call the table.
  let name: String

  /// Reads the file at `path`: TSV if its name ends in `.tsv` or `.tab`, otherwise CSV.
  init(path: String) throws(Problem) {
    try self.init(TextFile.read(path, as: "table"), isTSV: DelimitedText.isTSV(path), name: path)
  }

  /// True for the name of a TSV file.
  static func isTSV(_ path: String) -> Bool { path.hasSuffix(".tsv") || path.hasSuffix(".tab") }

  /// True for the name of a TSV or CSV file.
  static func isTable(_ path: String) -> Bool { isTSV(path) || path.hasSuffix(".csv") }

  init(_ bytes: [UInt8], isTSV: Bool, name: String) throws(Problem) {
    try UTF8Text.validate(bytes, name: name, hint: "convert the table to UTF-8")
    var scanner = Scanner(bytes: bytes, isTSV: isTSV, name: name)
    guard let header = try scanner.record() else {
      throw .data("table is empty — expected a line with the names of the columns, got none (\(name))")
    }
    var records: [(line: Int, fields: [String])] = []
    while let record = try scanner.record() {
      guard record.fields.count == header.fields.count else {
        throw .data(
          "ragged table — expected \(header.fields.count) fields, got \(record.fields.count) (\(name), line "
            + "\(record.line))",
          hint: isTSV ? nil : "a field with a comma in it stands in double quotes")
      }
      records.append(record)
    }
    guard !records.isEmpty else {
      throw .data("table has no rows — expected some below the names of the columns, got none (\(name))")
    }
    columns = header.fields
    self.records = records
    self.name = name
  }

  /// The index of a column by its name, which must be there once.
  func index(of column: String) throws(Problem) -> Int {
    try DelimitedText.index(of: column, in: columns, name)
  }

  /// As above, among the columns of a table that errors call `name`.
  static func index(of column: String, in columns: [String], _ name: String) throws(Problem) -> Int {
    let found = columns.indices.filter { ExactString(columns[$0]) == ExactString(column) }
    guard found.count == 1 else {
      throw .data(
        "\(found.isEmpty ? "missing column" : "column named twice") — expected one \(quoted(column)), got "
          + "\(listed(columns.map(quoted))) (\(name))",
        hint: found.isEmpty ? "the first line must name the columns" : "rename one of them")
    }
    return found[0]
  }
}

extension DelimitedText {
  /// Goes through the bytes once. All that has a meaning is ASCII, and UTF-8 has no ASCII byte inside a longer scalar.
  private struct Scanner {
    let bytes: [UInt8]
    let delimiter: UInt8
    let quotes: Bool
    let name: String
    private var place = 0
    private var line = 1

    init(bytes: [UInt8], isTSV: Bool, name: String) {
      self.bytes = bytes
      delimiter = UInt8(ascii: isTSV ? "\t" : ",")
      quotes = !isTSV
      self.name = name
      place = UTF8Text.lengthOfByteOrderMark(bytes)
    }

    /// The next record; nil at the end.
    mutating func record() throws(Problem) -> (line: Int, fields: [String])? {
      while place < bytes.count, try endLine() {}
      guard place < bytes.count else { return nil }
      let first = line
      var fields: [String] = []
      repeat { fields.append(try field()) } while try continues()
      return (first, fields)
    }

    /// Passes over the end of a line; false where there is none.
    private mutating func endLine() throws(Problem) -> Bool {
      if bytes[place] == UInt8(ascii: "\r") {
        guard place + 1 == bytes.count || bytes[place + 1] == UInt8(ascii: "\n") else {
          throw malformed("expected a line feed behind a carriage return, got other text")
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
      if bytes[place] == delimiter {
        place += 1
        return true
      }
      guard try endLine() else { throw malformed("expected a comma or the end of the line behind a closing quote") }
      return false
    }

    private mutating func field() throws(Problem) -> String {
      if quotes && place < bytes.count && bytes[place] == UInt8(ascii: "\"") { return try quotedField() }
      let start = place
      while place < bytes.count && !ends(bytes[place]) {
        if quotes && bytes[place] == UInt8(ascii: "\"") {
          throw malformed("expected no double quote inside a field without quotes")
        }
        place += 1
      }
      return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private func ends(_ byte: UInt8) -> Bool {
      byte == delimiter || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    /// A field in double quotes; two of them inside stand for one.
    private mutating func quotedField() throws(Problem) -> String {
      let first = line
      var text: [UInt8] = []
      place += 1
      while place < bytes.count {
        let byte = bytes[place]
        place += 1
        if byte == UInt8(ascii: "\"") {
          guard place < bytes.count && bytes[place] == byte else { return String(decoding: text, as: UTF8.self) }
          place += 1
        }
        if byte == UInt8(ascii: "\n") { line += 1 }
        text.append(byte)
      }
      line = first
      throw malformed("expected a closing quote, got the end of the file")
    }

    private func malformed(_ what: String) -> Problem {
      .data(
        "malformed table — \(what) (\(name), line \(line))",
        hint: quotes
          ? "a field with commas, quotes or line ends stands in double quotes, and each quote in it is doubled" : nil)
    }
  }
}
