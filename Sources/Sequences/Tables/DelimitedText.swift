import Files
import Problems

/// A table in text form, as `TableForm` says. Columns have names, and every record must have as many fields.
///
/// Own, because a table that is silently put right trains a wrong model: the parsers for Swift fill ragged rows with
/// empty fields, drop surplus ones, let an open quote swallow the rest of the file, trim fields, take U+0085 inside a
/// sentence for the end of a line, and name no line in their errors.
///
/// Lines end with LF or CRLF; a byte order mark at the beginning is passed over, and so are lines without any character,
/// except that in a table of one column they are rows without a value. The table is read whenever it is gone through:
/// of its fields nothing is kept.
struct DelimitedText {
  /// The names of the columns.
  let columns: [String]
  /// Records below the names.
  let rows: Int
  /// How the table was written.
  let form: TableForm
  /// What stands between fields.
  let separator: TableForm.Separator
  /// What errors call the table.
  let name: String
  private let bytes: [UInt8]
  /// Where the first row begins.
  private let first: (place: Int, line: Int)

  /// Reads a table from its bytes; `name` is what errors call it, and its suffix promises what stands between fields.
  init(
    _ bytes: [UInt8], form: TableForm = TableForm(), name: String, account: DataAccount = DataAccount()
  ) throws(Problem) {
    try UTF8Text.validate(bytes, name: name)
    let beginning = TextFile.lengthOfByteOrderMark(bytes)
    let read = try bytes.withUnsafeBufferPointer { (bytes) throws(Problem) in
      let (separator, place, line) = form.recognised(bytes, from: beginning, name: name, account)
      var scanner = TableScanner(bytes, separator: separator, name: name, place: place, line: line)
      scanner.comment = Array(form.comment.utf8)
      let columns = try TableHeader(form.header).read(&scanner, account)
      let first = (scanner.place, scanner.line)
      let rows = try DelimitedText.check(scanner, columns, form, account)
      return (columns: columns, rows: rows, separator: separator, first: first)
    }
    (columns, rows, separator, first) = read
    (self.bytes, self.form, self.name) = (bytes, form, name)
  }

  /// Goes through all records, throws where one is not as the others, tells what is passed over, and returns how many
  /// rows there are.
  private static func check(
    _ beginning: TableScanner, _ columns: [String], _ form: TableForm, _ account: DataAccount
  ) throws(Problem) -> Int {
    var (scanner, fields, rows) = (beginning, [TableScanner.Field](), 0)
    let isNamed = form.header != .none
    scanner.keepsBlankLines = columns.count == 1
    // Of the rows at the end, those without any character.
    var blankAtEnd: [Int] = []
    // The first that is not as the others: among those at the end that are none of the data it does not matter.
    var odd: (row: Int, problem: Problem)?
    while let line = try scanner.record(&fields) {
      rows += 1
      guard fields.count == columns.count else {
        let isLast = scanner.place == scanner.bytes.count
        let problem = ragged(columns.count, fields.count, line, isLast: isLast, scanner)
        if form.footer == 0 { throw problem }
        odd = odd ?? (rows - 1, problem)
        continue
      }
      if columns.count == 1, fields[0].start == fields[0].end, !fields[0].isQuoted {
        blankAtEnd.append(line)
      } else {
        blankAtEnd = []
      }
      if isNamed, fields[0].end - fields[0].start >= columns[0].utf8.count,
        zip(fields, columns).allSatisfy({ scanner.content($0).elementsEqual($1.utf8) })
      {
        throw .data(
          "header repeated — expected rows below the names of the columns, got the names again "
            + "(\(scanner.name), line \(line))",
          hint:
            "files that were put together have each its header: leave all but the first out; a table without names of "
            + "columns is read with data.header=none")
      }
    }
    rows -= blankAtEnd.count
    for line in scanner.blankLines + blankAtEnd {
      account.remark("line without any character is passed over", at: "\(scanner.name), line \(line)")
    }
    for line in scanner.comments {
      account.remark("comment is passed over", at: "\(scanner.name), line \(line)")
    }
    if scanner.unquoted > 0 {
      account.remark(
        "\(counted(scanner.unquoted, "field")) in double quotes: the quotes are none of the text", at: scanner.name)
    }
    if form.footer > 0 {
      account.remark("\(counted(min(form.footer, rows), "row")) at the end passed over: data.footer", at: scanner.name)
    }
    rows -= form.footer
    if let odd, odd.row < rows { throw odd.problem }
    guard rows > 0 else {
      throw .data(
        "table has no rows — expected some below the names of the columns, got none (\(scanner.name))")
    }
    return rows
  }

  private static func ragged(
    _ expected: Int, _ got: Int, _ line: Int, isLast: Bool, _ scanner: TableScanner
  ) -> Problem {
    let separator = scanner.separator
    let hint =
      isLast && got < expected
      ? "where the last line is no row: data.footer=1"
      : expected == 1
        ? "data.separator says what stands between fields: \(listed(TableForm.Separator.allCases.map(\.rawValue)))"
        : separator == .tab || separator == .blanks
          ? "data.separator says what stands between fields, here \(separator.name)"
          : "a field with a \(separator.rawValue) in it stands in double quotes; data.separator says what stands between "
            + "fields, data.comment what lines begin with that are no rows"
    return .data(
      "ragged table — expected \(counted(expected, "field")), got \(got) (\(scanner.name), line \(line))", hint: hint)
  }

  /// Calls `body` for each row, with its number from 0, its line, the scanner that knows what fields hold, and a field for
  /// each column.
  func forEachRow(
    limit: Int = .max,
    _ body: (_ row: Int, _ line: Int, TableScanner, [TableScanner.Field]) throws(Problem) -> Void
  ) throws(Problem) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(Problem) in
      var scanner = TableScanner(bytes, separator: separator, name: name, place: first.place, line: first.line)
      scanner.comment = Array(form.comment.utf8)
      scanner.keepsBlankLines = columns.count == 1
      var fields: [TableScanner.Field] = []
      for row in 0..<min(rows, limit) {
        let line = try scanner.record(&fields)!
        try body(row, line, scanner, fields)
      }
    }
  }

  // MARK: Columns

  /// The index of a column by its name, which must be there once.
  func index(of column: String, key: String = "data.columns") throws(Problem) -> Int {
    try DelimitedText.index(of: column, in: columns, name, key: key)
  }

  /// As above, among the columns of a table that errors call `name`.
  static func index(of column: String, in columns: [String], _ name: String, key: String) throws(Problem) -> Int {
    let found = columns.indices.filter { ExactString(columns[$0]) == ExactString(column) }
    guard found.count == 1 else {
      throw .data(
        "\(found.isEmpty ? "missing column" : "column named twice") — expected one \(quoted(column)), got "
          + "\(listed(columns.map(quoted))) (\(name))",
        hint: found.isEmpty ? missingHint(column, columns, key) : "rename one of them")
    }
    return found[0]
  }

  private static func missingHint(_ column: String, _ columns: [String], _ key: String) -> String {
    // Swift's own comparison takes different normal forms of Unicode for the same.
    if columns.contains(column) {
      return "there is one that looks alike in another normal form of Unicode: copy its name from the file"
    }
    if columns.contains(where: { $0.lowercased() == column.lowercased() }) {
      return "capitals count: \(key) says which"
    }
    if let padded = columns.first(where: { $0.trimmed == column.trimmed }) {
      return "blanks count: the name is \(quoted(padded))"
    }
    if let whole = columns.first(where: { $0.contains(",") && $0.hasPrefix(column) }), key == "data.columns" {
      return "a name with a comma in it stands in double quotes: data.columns='\"\(singleLined(whole))\"'"
    }
    return "\(key) says which"
  }

  /// A name as a hint can show it.
  private static func singleLined(_ text: String) -> String { String(quoted(text).dropFirst().dropLast()) }
}

extension String {
  /// Without blanks at its ends.
  fileprivate var trimmed: Substring {
    let rest = drop { $0 == " " }
    return rest.prefix((rest.lastIndex { $0 != " " }.map { rest.distance(from: rest.startIndex, to: $0) + 1 }) ?? 0)
  }
}
