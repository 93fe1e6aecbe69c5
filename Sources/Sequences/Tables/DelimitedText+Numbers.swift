import Problems

// What a table in text form needs to be read as numbers.

extension DelimitedText {
  /// The columns that are read where none are named: all with a name. Of those without one, the first that counts the
  /// rows, as programs write that number them, and those without any value are passed over; others are errors.
  func namedColumns(_ account: DataAccount) throws(Problem) -> [Int] {
    let nameless = columns.indices.filter { columns[$0].isEmpty }
    if nameless.isEmpty { return Array(columns.indices) }
    var (empty, counts) = (Set(nameless), nameless.first == 0)
    var begin: Int?
    try forEachRow { row, _, scanner, fields in
      for column in nameless where !NumberText.isMissing(scanner.bytes(of: fields[column])) { empty.remove(column) }
      guard counts else { return }
      let number = NumberText.wholeNumber(scanner.bytes(of: fields[0]))
      begin = begin ?? number
      counts = number != nil && number == begin! + row && begin! <= 1
    }
    for column in nameless {
      let place = "\(name), column \(column + 1)"
      if empty.contains(column) {
        account.remark("column without a name and without values is passed over", at: place)
      } else if column == 0 && counts {
        account.remark("column without a name that counts the rows is passed over", at: place)
      } else {
        throw .data(
          "column without a name — expected a name for each column, got none for column \(column + 1) of "
            + "\(listed(columns.map(quoted))) (\(name))",
          hint:
            "name the columns to read: data.columns=\(columns.filter { !$0.isEmpty }.prefix(3).joined(separator: ","))")
      }
    }
    return columns.indices.filter { !columns[$0].isEmpty }
  }

  /// Tells of rows at the end whose first field is neither a number nor a date, where that of the first row is: sums,
  /// means and sources stand there.
  func tellOfFooter(_ style: NumberText.Style, _ account: DataAccount) throws(Problem) {
    func isUsual(_ field: UnsafeBufferPointer<UInt8>) -> Bool {
      NumberText.isMissing(field, style) || NumberText.value(field, style) != nil
        || DateText.Order.allCases.contains { DateText(field, $0) != nil }
    }
    var (begins, odd, oddLine): (Bool, Int, Int) = (false, 0, 0)
    try forEachRow { row, line, scanner, fields in
      let field = scanner.bytes(of: fields[0])
      if row == 0 { begins = isUsual(field) }
      guard begins else { return }
      if isUsual(field) {
        odd = 0
      } else {
        odd += 1
        if odd == 1 { oddLine = line }
      }
    }
    guard begins, (1...5).contains(odd) else { return }
    account.remark(
      "\(counted(odd, "row")) at the end \(odd == 1 ? "begins" : "begin") otherwise than the others, as sums and sources "
        + "do, and \(odd == 1 ? "is" : "are") read as data",
      at: "\(name), line \(oddLine)", hint: "where they are none: data.footer=\(odd)")
  }

  /// Rows that are looked at to see how numbers are written.
  private static let sample = 1000

  /// How the numbers of these columns are written: as the form says, or with a comma before fractions where some can be
  /// read only so, and none only with a point; that is told.
  func numberStyle(of columns: [Int], _ account: DataAccount) throws(Problem) -> NumberText.Style {
    var style = NumberText.Style(thousands: form.thousands, holes: form.holes.map { Array($0.utf8) })
    style.decimal = form.decimal ?? (form.thousands == .point ? .comma : .point)
    guard form.decimal == nil, form.thousands == .none else { return style }
    let comma = NumberText.Style(decimal: .comma, holes: style.holes)
    var (withComma, withPoint, grouped, example, groupedExample) = (0, 0, 0, "", "")
    try forEachRow(limit: DelimitedText.sample) { _, line, scanner, fields in
      for column in columns {
        let field = scanner.bytes(of: fields[column])
        let hasPoint = NumberText.value(field, style) != nil
        if hasPoint, field.contains(UInt8(ascii: ".")) {
          withPoint += 1
          if NumberText.isGrouped(field, by: UInt8(ascii: ".")) {
            grouped += 1
            if groupedExample.isEmpty {
              groupedExample = "\(quoted(String(decoding: field, as: UTF8.self))) (\(name), line \(line))"
            }
          }
        }
        // What could be thousands proves nothing.
        guard !hasPoint, NumberText.value(field, comma) != nil, !NumberText.isGrouped(field, by: UInt8(ascii: ","))
        else { continue }
        withComma += 1
        if example.isEmpty { example = "\(quoted(String(decoding: field, as: UTF8.self))) in line \(line)" }
      }
    }
    // Where commas are no separators, points may well stand between thousands.
    if grouped == withPoint, grouped > 0, separator != .comma {
      guard withComma > 0 else {
        throw .data(
          "points before fractions or between thousands — expected numbers that can be read in one way, got "
            + groupedExample, hint: "data.decimal=point or data.thousands=point says which")
      }
    } else if withPoint > 0 {
      return style
    }
    guard withComma > 0 else { return style }
    account.remark("fractions of numbers stand behind a comma, such as \(example)", at: name)
    return comma
  }

  /// Why a field is no value of a column, and what may help.
  func refusal(_ column: RuledColumn, _ field: String, row: Int, line: Int, _ style: NumberText.Style) -> Problem {
    .data(
      "not \(column.rule.expected) — expected \(column.rule.expected) in column \(quoted(columns[column.source])), got "
        + "\(quoted(field)) (\(name), line \(line))", hint: hint(column, field, row: row, style))
  }

  private func hint(_ column: RuledColumn, _ field: String, row: Int, _ style: NumberText.Style) -> String {
    guard column.rule == .number else {
      return "data.columns names the columns to read, with a rule for those of dates and texts"
    }
    for decimal in TableForm.Decimal.allCases where decimal != style.decimal {
      let other = NumberText.Style(decimal: decimal)
      let mark = decimal == .comma ? "comma" : "point"
      guard let value = NumberText.value(field, other) else { continue }
      var field = field
      let isGrouped = field.withUTF8 { NumberText.isGrouped($0, by: other.point) }
      return isGrouped
        ? "with data.thousands=\(mark) it is \(NumberText.value(field, NumberText.Style(decimal: style.decimal, thousands: decimal == .comma ? .comma : .point)) ?? value), with data.decimal=\(mark) \(value)"
        : "with data.decimal=\(mark) it is \(value)"
    }
    for thousands in TableForm.Thousands.allCases where thousands != .none && thousands != style.thousands {
      for decimal in TableForm.Decimal.allCases where "\(decimal)" != "\(thousands)" {
        let other = NumberText.Style(decimal: decimal, thousands: thousands)
        guard let value = NumberText.value(field, other) else { continue }
        return
          "with data.thousands=\(thousands)\(decimal == style.decimal ? "" : " and data.decimal=\(decimal)") it is \(value)"
      }
    }
    if columns.count == 1, let other = TableForm.Separator.allCases.first(where: { separates($0, columns[0]) }) {
      return "data.separator=\(other.rawValue) where \(other.name) stand between fields"
    }
    if field.hasPrefix("#"), column.source == 0 { return "lines that begin with # are no rows with data.comment='#'" }
    if row == 0, let first = (1...4).first(where: { isNumber(column.source, inRow: $0, style) }) {
      return "where \(first + 1) lines name the columns, such as a name and a unit: data.header=\(first + 1)"
    }
    if row > 0, rows - row <= 5 {
      let lines = rows - row == 1 ? "the last line is no row" : "the last \(rows - row) lines are no rows"
      return "where \(lines): data.footer=\(rows - row)"
    }
    if row > 0, field.utf8.count <= 8, field.unicodeScalars.allSatisfy({ !$0.properties.isWhitespace }) {
      return "where it stands for no value: data.holes='\(field)', and data.missing says what becomes of it"
    }
    var text = field
    if text.withUTF8({ text in DateText.Order.allCases.contains { DateText(text, $0) != nil } }) {
      guard text.withUTF8({ DateText($0) != nil }) else {
        return "it looks like a date: write dates as 2016-02-29, or name the columns to read with data.columns"
      }
      return "it looks like a date: data.columns names the columns to read, such as "
        + "\(columns[column.source]):year for a column of dates"
    }
    return "data.columns names the columns to read, with a rule for those of dates and texts"
  }

  private func separates(_ separator: TableForm.Separator, _ header: String) -> Bool {
    separator != self.separator
      && (separator.byte.map { header.utf8.contains($0) } ?? header.contains { $0 == " " || $0 == "\t" })
  }

  private func isNumber(_ column: Int, inRow wanted: Int, _ style: NumberText.Style) -> Bool {
    var found = false
    // A row that cannot be read is no number.
    try? forEachRow(limit: wanted + 1) { row, _, scanner, fields in
      if row == wanted { found = NumberText.value(scanner.bytes(of: fields[column]), style) != nil }
    }
    return found
  }
}

extension NumberText {
  /// Whether a number may have `mark` between its thousands: one to three digits, then groups of three.
  static func isGrouped(_ text: UnsafeBufferPointer<UInt8>, by mark: UInt8) -> Bool {
    let digits = text.drop { $0 == 0x20 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
    let parts = digits.split(separator: mark, omittingEmptySubsequences: false)
    return parts.count > 1 && (1...3).contains(parts[0].count) && parts[0].first != UInt8(ascii: "0")
      && parts.dropFirst().allSatisfy { $0.count == 3 }
  }
}
