import Problems

/// Whether the rows of a table stand in the order of time: what a forecaster takes for granted. The first column whose
/// fields are dates says.
struct DateOrder {
  private let column: Int
  private let name: String
  private let table: String
  private let order: DateText.Order
  private var last: (time: Int, text: String)?
  private var first = ""
  private var backwards: [Int] = []
  private var equal: [Int] = []
  private var forwards = 0
  /// How often each distance of rows in microseconds comes.
  private var steps: [Int: (count: Int, line: Int)] = [:]

  /// Tells what is to be said of the order of the rows of a table; nothing where no column has dates.
  static func tell(
    _ table: DelimitedText, _ style: NumberText.Style, _ account: DataAccount
  ) throws(Problem) {
    guard let found = try orders(of: table) else { return }
    var fitting: [DateOrder] = []
    for var order in found {
      var isDate = true
      try table.forEachRow { _, line, scanner, fields in
        if isDate { isDate = order.add(scanner, fields, line, style) }
      }
      if isDate { fitting.append(order) }
    }
    // Where day and month can be told in two ways, only what both say is known.
    guard let first = fitting.first, fitting.count == 1 || fitting.allSatisfy(\.isNewestFirst) else { return }
    first.tell(account)
  }

  private var isNewestFirst: Bool { !backwards.isEmpty && forwards == 0 }

  /// The first column with a date in the first row, in each order of day and month that it can have.
  private static func orders(of table: DelimitedText) throws(Problem) -> [DateOrder]? {
    var orders: [DateOrder]?
    try table.forEachRow(limit: 1) { _, _, scanner, fields in
      for (column, field) in fields.enumerated() where orders == nil {
        let found = DateText.Order.allCases.filter { DateText(scanner.bytes(of: field), $0) != nil }
        if found.isEmpty { continue }
        orders = found.map {
          DateOrder(column: column, name: table.columns[column], table: table.name, order: $0)
        }
      }
    }
    return orders
  }

  private init(column: Int, name: String, table: String, order: DateText.Order) {
    (self.column, self.name, self.table, self.order) = (column, name, table, order)
  }

  /// False for a field that is no date and no hole.
  private mutating func add(
    _ scanner: TableScanner, _ fields: [TableScanner.Field], _ line: Int, _ style: NumberText.Style
  ) -> Bool {
    let field = scanner.bytes(of: fields[column])
    if NumberText.isMissing(field, style) { return true }
    guard let date = DateText(field, order) else { return false }
    let time = date.microseconds
    let text = String(decoding: field, as: UTF8.self)
    if let last {
      if time < last.time { backwards.append(line) }
      if time == last.time { equal.append(line) }
      if time > last.time { forwards += 1 }
      let step = abs(time - last.time)
      steps[step, default: (0, line)].count += 1
    } else {
      first = text
    }
    last = (time, text)
    return true
  }

  private func tell(_ account: DataAccount) {
    guard let last else { return }
    let place = "column \(quoted(name))"
    if isNewestFirst {
      account.remark(
        "the newest row comes first: \(place) goes from \(quoted(first)) back to \(quoted(last.text)), so the model "
          + "learns to forecast the past and the oldest rows are held out", at: table,
        hint: "sort the rows by their date, the oldest first")
      return
    }
    for line in backwards {
      account.remark(
        "a row is older than the one before it, by \(place)", at: "\(table), line \(line)",
        hint: "sort the rows by their date, the oldest first")
    }
    for line in equal {
      account.remark(
        "a row has the date of the one before it, by \(place)", at: "\(table), line \(line)",
        hint: "rows of several series in one table are taken for one: give each a table of its own")
    }
    tellOfGaps(place, account)
  }

  /// Rows further apart than most: where nearly all have one distance, as hours or days have.
  private func tellOfGaps(_ place: String, _ account: DataAccount) {
    let rows = steps.values.reduce(0) { $0 + $1.count }
    guard backwards.isEmpty, equal.isEmpty,
      let usual = steps.max(by: { ($0.value.count, -$0.key) < ($1.value.count, -$1.key) }),
      usual.value.count * 4 >= rows * 3
    else { return }
    let longer = steps.filter { $0.key > usual.key }.sorted { $0.value.line < $1.value.line }
    guard !longer.isEmpty else { return }
    let count = longer.reduce(0) { $0 + $1.value.count }
    account.remark(
      "\(counted(count, "gap")) in \(place): rows are \(duration(usual.key)) apart, there \(duration(longer.map(\.key).min()!)) or more; "
        + "the model takes rows for equally far apart", at: "\(table), line \(longer[0].value.line)")
  }

  private func duration(_ microseconds: Int) -> String {
    let units = [("day", 86_400_000_000), ("hour", 3_600_000_000), ("minute", 60_000_000), ("second", 1_000_000)]
    for (unit, length) in units where microseconds % length == 0 { return counted(microseconds / length, unit) }
    return counted(microseconds, "microsecond")
  }
}
