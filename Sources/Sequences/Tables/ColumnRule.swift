import ExactMath
import Problems

/// How a column of a table in text form becomes numbers, as it is written in `data.columns` behind the column's name:
///
/// * `name`: a number in each row.
/// * `name:categories`: a text. For each one that the rows to be fitted on have there comes a column `name=text`, which
///   is 1 where the text stands and else 0; another text, or a hole, is 0 in all of them.
/// * `name:cycle=24`: a whole number that comes again and again, such as an hour. Two columns, `name:sin24` and
///   `name:cos24`: sine and cosine of 2π·n/24.
/// * `name:year`, `name:month`, `name:weekday`, `name:hour`: of a date such as 2016-02-29, the last of one with a time
///   such as 2016-02-29 13:45. Two columns, `name:sin-year` and `name:cos-year` and so on: sine and cosine of 2π·d/366,
///   d being the days since the first of January; of 2π·m/12, of 2π·w/7 with Monday 0, and of 2π·h/24.
///
/// The columns that come of it have names that say everything: a model that has learned from them needs no more to read
/// another table alike.
enum ColumnRule: Equatable {
  case number
  case category([UInt8])
  case cycle(Circle)
  case date(DatePart, Circle)

  /// The most texts of a column of categories.
  static let mostCategories = 256

  /// What of a date goes round.
  enum DatePart: String, CaseIterable {
    case year, month, weekday, hour

    var count: Int {
      switch self {
      case .year: 366
      case .month: 12
      case .weekday: 7
      case .hour: 24
      }
    }

    func value(of date: DateText) -> Int? {
      switch self {
      case .year: date.dayOfYear
      case .month: date.month - 1
      case .weekday: date.weekday
      case .hour: date.hour
      }
    }
  }

  /// What a field is by this rule: NaN for a hole, nil for what is no value of it.
  func value(_ place: TableScanner.Field, in scanner: TableScanner, _ style: NumberText.Style) -> Double? {
    if case .category(let text) = self { return scanner.holds(place, text) ? 1 : 0 }
    let field = scanner.bytes(of: place)
    if NumberText.isMissing(field, style) { return .nan }
    switch self {
    case .category: return nil
    case .number: return NumberText.value(field, style)
    case .cycle(let circle): return NumberText.wholeNumber(field).map(circle.value)
    case .date(let part, let circle): return DateText(field).flatMap(part.value).map(circle.value)
    }
  }

  /// What a field should be, for an error.
  var expected: String {
    switch self {
    case .number, .category: "a number"
    case .cycle: "a whole number"
    case .date(.hour, _): "a date with a time such as 2016-02-29 13:45"
    case .date: "a date such as 2016-02-29"
    }
  }
}

/// Sine or cosine of 2π·k/n.
struct Circle: Equatable {
  private let count: Int
  private let isSine: Bool
  /// Of every k, where they are few.
  private let values: [Double]

  init(of count: Int, isSine: Bool) {
    (self.count, self.isSine) = (count, isSine)
    values = count <= 4096 ? (0..<count).map { Circle.point($0, of: count, isSine) } : []
  }

  /// That of a whole number, taken modulo n.
  func value(_ k: Int) -> Double {
    let place = (k % count + count) % count
    return values.isEmpty ? Circle.point(place, of: count, isSine) : values[place]
  }

  private static func point(_ k: Int, of n: Int, _ isSine: Bool) -> Double {
    let point = pointOnCircle(k, of: n)
    return isSine ? point.sine : point.cosine
  }
}

/// A column of numbers that comes of a column of a table.
struct RuledColumn {
  /// What it is called, which says everything.
  let name: String
  /// The column of the table.
  let source: Int
  let rule: ColumnRule

  /// The columns that come of `text`, a name with or without a rule. A name that is there is taken as it is; one that is
  /// not there, and more than `ColumnRule.mostCategories` texts, are errors with exit code 65.
  /// - Parameter rows: The rows whose texts are categories.
  static func columns(_ text: String, of table: DelimitedText, rows: Int) throws(Problem) -> [RuledColumn] {
    func ruled(_ name: Substring, _ rules: [(String, ColumnRule)]) throws(Problem) -> [RuledColumn] {
      let source = try table.index(of: String(name))
      return rules.map { RuledColumn(name: "\(name)\($0)", source: source, rule: $1) }
    }
    func both(_ make: (_ isSine: Bool) -> (String, ColumnRule)) -> [(String, ColumnRule)] { [make(true), make(false)] }
    func word(_ isSine: Bool) -> String { isSine ? "sin" : "cos" }
    if table.columns.contains(where: { ExactString($0) == ExactString(text) }) {
      return [RuledColumn(name: text, source: try table.index(of: text), rule: .number)]
    }
    if let found = text.wholeMatch(of: /(.+):(?:(sin|cos)-)?(year|month|weekday|hour)/) {
      let part = ColumnRule.DatePart(rawValue: String(found.3))!
      let rules = both { (":\(word($0))-\(part)", .date(part, Circle(of: part.count, isSine: $0))) }
      return try ruled(found.1, found.2.map { [rules[$0 == "sin" ? 0 : 1]] } ?? rules)
    }
    if let found = text.wholeMatch(of: /(.+):(?:cycle=|(sin|cos))([1-9]\d{0,8})/), let length = Int(found.3) {
      let rules = both { (":\(word($0))\(length)", .cycle(Circle(of: length, isSine: $0))) }
      return try ruled(found.1, found.2.map { [rules[$0 == "sin" ? 0 : 1]] } ?? rules)
    }
    if let found = text.wholeMatch(of: /(.+):categories/) {
      let texts = try categories(of: table, column: table.index(of: String(found.1)), rows: rows)
      return try ruled(found.1, texts.map { ("=\($0)", .category(Array($0.utf8))) })
    }
    if let found = text.wholeMatch(of: /(.+?)=(.+)/) {
      return try ruled(found.1, [("=\(found.2)", .category(Array(found.2.utf8)))])
    }
    return [RuledColumn(name: text, source: try table.index(of: text), rule: .number)]
  }

  private static func categories(of table: DelimitedText, column: Int, rows: Int) throws(Problem) -> [String] {
    var texts: Set<ExactString> = []
    try table.forEachRow(limit: rows) { _, _, scanner, fields in
      // Of more than that only the number would grow.
      guard texts.count <= ColumnRule.mostCategories else { return }
      let text = scanner.text(fields[column])
      if !NumberText.isMissing(text) { texts.insert(ExactString(text)) }
    }
    guard (1...ColumnRule.mostCategories).contains(texts.count) else {
      throw .data(
        "categories of column \(quoted(table.columns[column])) — expected 1 to \(ColumnRule.mostCategories) texts, got "
          + "\(texts.isEmpty ? "none" : "more") (\(table.name))")
    }
    return texts.sorted().map(\.text)
  }
}
