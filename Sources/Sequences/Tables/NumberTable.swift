import Files
import Problems

/// What becomes of the holes of a table.
package enum MissingValues: String, Sendable, CaseIterable {
  /// A hole is an error that names its line.
  case error
  /// The value above it; rows above the first value of a column are left out.
  case previous
  /// The mean of the column over the training rows.
  case mean
}

/// The chosen columns of a table of numbers, one row a timestep. Holes are NaN until `filled` has dealt with them;
/// everything else is finite.
package struct NumberTable: Sendable {
  /// The names of the columns.
  package let columns: [String]
  /// [rows, D] row-major.
  package private(set) var values: [Double]
  /// The line of each row in the file; its number in an array.
  private var lines: [Int]
  /// What errors call a line.
  private let line: String
  /// What errors call the table.
  package let name: String

  /// T, the number of rows.
  package var rows: Int { lines.count }
  /// How many values are missing.
  package var holes: Int { values.count { $0.isNaN } }

  /// Reads `columns` of the table in text form or the array of NumPy at `path`, in the order given, those of dates and
  /// texts by a `ColumnRule`; other columns are not looked at. No `columns` means all of them but those without a name
  /// that count the rows or are empty; those of an array, or without a header, are called "0", "1", … A column that is
  /// not there, and text where a number or a hole should be, are errors with exit code 65.
  /// - Parameter share: The share of the rows at the end whose texts are no categories.
  package init(
    path: String, form: TableForm = TableForm(), columns: [String] = [], share: Double = 0,
    account: DataAccount = DataAccount()
  ) throws(Problem) {
    account.addFile()
    try self.init(
      bytes: TextFile.read(path, as: "table"), form: form, columns: columns, share: share, name: path,
      account: account)
  }

  /// As above, for the bytes of a file that errors call `name`.
  package init(
    bytes: [UInt8], form: TableForm = TableForm(), columns: [String] = [], share: Double = 0, name: String,
    account: DataAccount = DataAccount()
  ) throws(Problem) {
    if NPYFile.isMeant(bytes, name: name) {
      try self.init(NPYFile(bytes, name: name), columns: columns, name: name)
    } else {
      let table = try DelimitedText(bytes, form: form, name: name, account: account)
      try self.init(table, columns: columns, share: share, account)
    }
  }

  private init(_ array: NPYFile, columns: [String], name: String) throws(Problem) {
    let names = (0..<array.columns).map(String.init)
    var indices = columns.isEmpty ? Array(names.indices) : []
    for column in columns { indices.append(try DelimitedText.index(of: column, in: names, name, key: "data.columns")) }
    self.columns = indices.map { names[$0] }
    values = (0..<array.rows).flatMap { row in indices.map { array.values[row * array.columns + $0] } }
    lines = Array(1...array.rows)
    line = "row"
    self.name = name
  }

  private init(
    _ table: DelimitedText, columns: [String], share: Double, _ account: DataAccount
  ) throws(Problem) {
    let rows = NumberTable.cut(table.rows, share)
    var ruled: [RuledColumn] = []
    if columns.isEmpty {
      for column in try table.namedColumns(account) {
        // Which of two columns of one name is meant nobody can say.
        let source = try table.index(of: table.columns[column])
        ruled.append(RuledColumn(name: table.columns[column], source: source, rule: .number))
      }
    }
    for column in columns { ruled += try RuledColumn.columns(column, of: table, rows: rows) }
    let style = try table.numberStyle(of: ruled.filter { $0.rule == .number }.map(\.source), account)
    var (values, lines): ([Double], [Int]) = ([], [])
    values.reserveCapacity(table.rows * ruled.count)
    lines.reserveCapacity(table.rows)
    try table.forEachRow { row, line, scanner, fields throws(Problem) in
      for column in ruled {
        let field = fields[column.source]
        guard let value = column.rule.value(field, in: scanner, style) else {
          throw table.refusal(column, scanner.text(field), row: row, line: line, style)
        }
        values.append(value)
      }
      lines.append(line)
    }
    self.columns = ruled.map(\.name)
    (self.values, self.lines, line, name) = (values, lines, "line", table.name)
    try DateOrder.tell(table, style, account)
    try table.tellOfFooter(style, account)
  }

  /// Rows to train on where a share at the end is held out.
  static func cut(_ rows: Int, _ share: Double) -> Int { Int((Double(rows) * (1 - share)).rounded(.down)) }

  // MARK: Holes

  /// The table without holes.
  /// - Parameters:
  ///   - trainingRows: The rows whose means `mean` takes.
  ///   - means: Those of a trained model, [D], in their place.
  /// An error with exit code 65 where there is a hole and the rule is `error`, or where a column has no value that a
  /// rule could take.
  package func filled(
    _ rule: MissingValues, trainingRows: Range<Int>, means: [Double]? = nil, account: DataAccount = DataAccount()
  ) throws(Problem) -> NumberTable {
    precondition(trainingRows.lowerBound >= 0 && trainingRows.upperBound <= rows, "training rows are rows of the table")
    guard let first = values.firstIndex(where: \.isNaN) else { return self }
    switch rule {
    case .error:
      throw .data(
        "missing value — expected a number in column \(quoted(columns[first % columns.count])), got none (\(name), \(line) "
          + "\(lines[first / columns.count]); \(holes) of \(values.count) values are missing)",
        hint:
          "data.missing=previous fills holes with the value above, data.missing=mean with the mean of the training rows"
      )
    case .previous:
      let filled = try filledWithPrevious()
      tellOfFilling(with: "the value above", in: lines.suffix(filled.rows), account)
      for line in lines.prefix(rows - filled.rows) {
        account.remark("row before the first value of a column is left out", at: place(line))
      }
      return filled
    case .mean:
      tellOfFilling(with: "the mean of the training rows", in: lines[...], account)
      return try filledWithMeans(of: trainingRows, known: means)
    }
  }

  private func place(_ number: Int) -> String { "\(name), \(line) \(number)" }

  /// Tells how many holes of the last rows were filled.
  private func tellOfFilling(with what: String, in kept: ArraySlice<Int>, _ account: DataAccount) {
    let first = rows - kept.count
    let holes = values[(first * columns.count)...].indices.filter { values[$0].isNaN }
    guard let hole = holes.first else { return }
    account.remark(
      "\(counted(holes.count, "missing value")) filled with \(what)", at: place(lines[hole / columns.count]))
  }

  private func filledWithPrevious() throws(Problem) -> NumberTable {
    var start = 0
    for column in columns.indices {
      guard let row = (0..<rows).first(where: { !values[$0 * columns.count + column].isNaN }) else {
        throw empty(column, in: "the table")
      }
      start = max(start, row)
    }
    var result = self
    for place in values.indices.dropFirst(columns.count) where result.values[place].isNaN {
      result.values[place] = result.values[place - columns.count]
    }
    result.values.removeFirst(start * columns.count)
    result.lines.removeFirst(start)
    return result
  }

  private func filledWithMeans(of trainingRows: Range<Int>, known means: [Double]?) throws(Problem) -> NumberTable {
    var result = self
    for column in columns.indices {
      let places = (0..<rows).map { $0 * columns.count + column }
      var mean = means?[column]
      if mean == nil {
        let known = places[trainingRows].filter { !values[$0].isNaN }
        guard !known.isEmpty else { throw empty(column, in: "the training rows") }
        mean = known.reduce(0.0) { $0 + values[$1] } / Double(known.count)
      }
      for place in places where values[place].isNaN { result.values[place] = mean! }
    }
    return result
  }

  private func empty(_ column: Int, in part: String) -> Problem {
    .data(
      "column without values — expected at least one number in column \(quoted(columns[column])) of \(part), got none "
        + "(\(name))",
      hint: "leave the column out")
  }
}
