import Files
import Problems

/// How a column of a table in text form becomes numbers, as it is written in `data.columns` behind the column's name:
///
/// * `name`: a number in each row.
/// * `name:categories`: a text. For each one that the rows to be fitted on have there comes a column `name=text`, which
///   is 1 where the text stands and else 0; another text, or a hole, is 0 in all of them.
/// * `name:cycle=24`: a whole number that comes again and again, such as an hour. Two columns, `name:sin24` and
///   `name:cos24`: sine and cosine of 2π·n/24.
/// * `name:year`: a date such as 2016-02-29, alone or at the beginning of a text. Two columns, `name:sin-year` and
///   `name:cos-year`: sine and cosine of 2π·d/366, d being the days since the first of January.
///
/// The columns that come of it have names that say everything: a model that has learned from them needs no more to read
/// another table alike.
enum ColumnRule: Equatable {
  case number
  case category(String)
  case cycle(Int, isSine: Bool)
  case year(isSine: Bool)

  /// The most texts of a column of categories.
  static let mostCategories = 256

  /// What a field is by this rule: NaN for a hole, nil for what is no value of it.
  func value(_ field: String) -> Float? {
    if case .category(let text) = self { return ExactString(field) == ExactString(text) ? 1 : 0 }
    if NumberText.isMissing(field) { return .nan }
    switch self {
    case .category: return nil
    case .number: return NumberText.value(field)
    case .cycle(let length, let isSine):
      guard let number = NumberText.wholeNumber(field) else { return nil }
      return ColumnRule.onCircle((number % length + length) % length, of: length, isSine)
    case .year(let isSine): return ColumnRule.dayOfYear(field).map { ColumnRule.onCircle($0, of: 366, isSine) }
    }
  }

  /// What a field should be, for an error.
  var expected: String {
    switch self {
    case .number, .category: "a number"
    case .cycle: "a whole number"
    case .year: "a date such as 2016-02-29"
    }
  }

  private static func onCircle(_ k: Int, of n: Int, _ isSine: Bool) -> Float {
    let point = pointOnCircle(k, of: n)
    return Float(isSine ? point.sine : point.cosine)
  }

  /// Days since the first of January of a leap year: the same day has the same number in every year.
  private static func dayOfYear(_ field: String) -> Int? {
    guard let found = try? /\s*(\d{4})-(\d{2})-(\d{2})(?:\D.*)?/.wholeMatch(in: field),
      let year = Int(found.1), let month = Int(found.2), let day = Int(found.3)
    else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard lengths.indices.contains(month - 1), day >= 1, day <= lengths[month - 1] - (month == 2 && !isLeap ? 1 : 0)
    else { return nil }
    return lengths[..<(month - 1)].reduce(0, +) + day - 1
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
  static func columns(
    _ text: String, of table: DelimitedText, rows: Int
  ) throws(Problem) -> [RuledColumn] {
    func ruled(_ name: Substring, _ rules: [(String, ColumnRule)]) throws(Problem) -> [RuledColumn] {
      let source = try table.index(of: String(name))
      return rules.map { RuledColumn(name: "\(name)\($0)", source: source, rule: $1) }
    }
    if !table.columns.contains(where: { ExactString($0) == ExactString(text) }) {
      if let found = text.wholeMatch(of: /(.+):year/) {
        return try ruled(found.1, [(":sin-year", .year(isSine: true)), (":cos-year", .year(isSine: false))])
      }
      if let found = text.wholeMatch(of: /(.+):(sin|cos)-year/) {
        return try ruled(found.1, [(":\(found.2)-year", .year(isSine: found.2 == "sin"))])
      }
      if let found = text.wholeMatch(of: /(.+):cycle=([1-9]\d{0,8})/), let length = Int(found.2) {
        return try ruled(
          found.1,
          [(":sin\(length)", .cycle(length, isSine: true)), (":cos\(length)", .cycle(length, isSine: false))])
      }
      if let found = text.wholeMatch(of: /(.+):(sin|cos)([1-9]\d{0,8})/), let length = Int(found.3) {
        return try ruled(found.1, [(":\(found.2)\(length)", .cycle(length, isSine: found.2 == "sin"))])
      }
      if let found = text.wholeMatch(of: /(.+):categories/) {
        let texts = try categories(of: table, column: table.index(of: String(found.1)), rows: rows)
        return try ruled(found.1, texts.map { ("=\($0)", .category($0)) })
      }
      if let found = text.wholeMatch(of: /(.+?)=(.+)/) {
        return try ruled(found.1, [("=\(found.2)", .category(String(found.2)))])
      }
    }
    return [RuledColumn(name: text, source: try table.index(of: text), rule: .number)]
  }

  private static func categories(
    of table: DelimitedText, column: Int, rows: Int
  ) throws(Problem) -> [String] {
    var texts: Set<ExactString> = []
    for (_, fields) in table.records.prefix(rows) where !NumberText.isMissing(fields[column]) {
      texts.insert(ExactString(fields[column]))
    }
    guard (1...ColumnRule.mostCategories).contains(texts.count) else {
      throw .data(
        "categories of column \(quoted(table.columns[column])) — expected 1 to \(ColumnRule.mostCategories) texts, got "
          + "\(texts.count) (\(table.name))")
    }
    return texts.sorted().map(\.text)
  }
}
