import Files
import Problems

/// Files in the `.ts` form of the UEA and UCR archives: a header of `@` lines, then one labelled series to a line, its
/// dimensions separated by colons, their values by commas, the class last.
///
///     @classLabel true a b
///     @data
///     0.5,0.25,1:3,1,4:a      two dimensions, three timesteps, class a
///
/// A class keeps the blanks within its name. Series may differ in length, the dimensions of one series may not. Time stamps, missing values and target values
/// instead of classes are refused.
package struct TimeSeriesFile {
  /// The header's statements; nil where it does not make them.
  private var dimensions: Int?
  private var seriesLength: Int?
  private var equalLength = false
  /// The names of the classes behind @classLabel, one after the other: a name may be several of these words.
  private var declaredWords: [ExactString] = []
  /// Whether the class stands last on each line.
  private var hasClasses: Bool { !declaredWords.isEmpty }
  private let needsClasses: Bool
  private let name: String

  private init(name: String, needsClasses: Bool) {
    self.name = name
    self.needsClasses = needsClasses
  }

  /// Reads the file at `path`. Without `classes` they are those that occur in it; with them, any other is an error.
  /// Whatever the file does not keep of what its header says is an error with exit code 65 that names the line.
  package static func read(
    _ path: String, classes: [String]? = nil, account: DataAccount = DataAccount()
  ) throws(Problem) -> MeasuredValues {
    account.addFile()
    return try read(bytes: TextFile.read(path, as: "series file"), classes: classes, name: path, account: account)
  }

  /// As above, for the bytes of a file that errors call `name`.
  package static func read(
    bytes: [UInt8], classes: [String]? = nil, name: String, account: DataAccount = DataAccount()
  ) throws(Problem) -> MeasuredValues {
    let hint = "the class stands behind the last colon of a line"
    var collection: LabelledCollection<Double>?
    try forEachSeries(of: bytes, name: name, needsClasses: true, account) { series, width, label, line in
      collection = collection ?? LabelledCollection(width: width, hint: hint)
      collection!.append(series, label: label, name: "\(name):\(line)")
    }
    return try collection!.labelled(classes: classes, source: name)
  }

  /// The series alone, without targets: classes are passed over, and the file may have none (`@classLabel false`).
  static func unlabelled(
    bytes: [UInt8], name: String, account: DataAccount = DataAccount()
  ) throws(Problem) -> MeasuredValues {
    var sequences: MeasuredValues?
    try forEachSeries(of: bytes, name: name, needsClasses: false, account) { series, width, _, line in
      sequences = sequences ?? MeasuredValues(width: width, classes: [])
      sequences!.append(series, label: noTarget, name: "\(name):\(line)")
    }
    return sequences!
  }

  /// Calls `body` with each series, [T, D] row-major, D, its class and its line; at least once.
  private static func forEachSeries(
    of bytes: [UInt8], name: String, needsClasses: Bool, _ account: DataAccount,
    _ body: (_ series: [Double], _ width: Int, _ label: String, _ line: Int) -> Void
  ) throws(Problem) {
    try UTF8Text.validate(bytes, name: name)
    try LineEnds.expectFeeds(bytes, name: name)
    var (lines, comments): ([(number: Int, text: Substring)], [Int]) = ([], [])
    forEachLine(of: bytes) { number, line in
      if line.first == UInt8(ascii: "#") {
        comments.append(number)
      } else {
        lines.append((number, Substring(decoding: line, as: UTF8.self)))
      }
    }
    var file = TimeSeriesFile(name: name, needsClasses: needsClasses)
    let data = try file.readHeader(lines)
    guard !data.isEmpty else { throw .data("no series — expected at least one behind @data, got none (\(name))") }
    // Those before it are the file's description.
    for number in comments where number > lines[data.startIndex - 1].number {
      account.remark("comment is passed over", at: "\(name), line \(number)")
    }
    var found: Set<String> = []
    for (number, text) in data {
      let series = try file.series(text, line: number)
      if file.dimensions == nil { file.dimensions = series.dimensions.count }
      if file.equalLength && file.seriesLength == nil { file.seriesLength = series.dimensions[0].count }
      try file.check(series.dimensions, line: number)
      let timeMajor = series.dimensions[0].indices.flatMap { t in series.dimensions.map { $0[t] } }
      found.insert(series.label)
      body(timeMajor, series.dimensions.count, series.label, number)
    }
    guard needsClasses else { return }
    let words = Set(found.flatMap(TimeSeriesFile.words))
    for declared in file.declaredWords where !words.contains(declared) {
      account.remark("class of @classLabel without a series", at: quoted(declared.text))
    }
  }

  // MARK: Header

  /// Reads the lines up to `@data`; those behind it are the answer.
  private mutating func readHeader(
    _ lines: [(number: Int, text: Substring)]
  ) throws(Problem) -> ArraySlice<(number: Int, text: Substring)> {
    for (index, line) in lines.enumerated() {
      let words = TimeSeriesFile.words(line.text).map(\.text)
      guard let tag = words.first, tag.hasPrefix("@") else {
        throw .data(
          "not a header line — expected a line that begins with @ before @data, got \(quoted(String(line.text))) "
            + "(\(name), line \(line.number))")
      }
      if tag.lowercased() == "@data" {
        guard hasClasses || !needsClasses else {
          throw .data("no classes — expected a line @classLabel true with their names, got none (\(name))")
        }
        return lines[(index + 1)...]
      }
      try readTag(tag.lowercased(), Array(words.dropFirst()), line: line.number)
    }
    throw .data("no data — expected a line @data, got \(lines.isEmpty ? "an empty file" : "none") (\(name))")
  }

  private mutating func readTag(_ tag: String, _ words: [String], line: Int) throws(Problem) {
    switch tag {
    case "@timestamps":
      if try truth(tag, words, line) { throw refusal("time stamps", "write the values alone", line) }
    case "@targetlabel":
      if try truth(tag, words, line) { throw refusal("target values", "classes are needed: @classLabel true …", line) }
    case "@equallength": equalLength = try truth(tag, words, line)
    case "@univariate": if try truth(tag, words, line) { dimensions = 1 }
    case "@dimensions", "@dimension": dimensions = try number(tag, words, line)
    case "@serieslength": seriesLength = try number(tag, words, line)
    case "@classlabel":
      let isThere = try truth(tag, words, line)
      guard isThere ? words.count > 1 : !needsClasses else { throw refusal("series without classes", nil, line) }
      declaredWords = words.dropFirst().map(ExactString.init)
    default: break  // @problemName and others say nothing that reading needs; @missing is seen in the values
    }
  }

  private func truth(_ tag: String, _ words: [String], _ line: Int) throws(Problem) -> Bool {
    switch words.first?.lowercased() {
    case "true": return true
    case "false": return false
    default: throw malformed("true or false behind \(tag)", words.first ?? "nothing", line)
    }
  }

  private func number(_ tag: String, _ words: [String], _ line: Int) throws(Problem) -> Int {
    guard let word = words.first, let value = Int(word), value >= 1 else {
      throw malformed("a whole number of at least 1 behind \(tag)", words.first ?? "nothing", line)
    }
    return value
  }

  // MARK: Series

  private func series(
    _ text: Substring, line: Int
  ) throws(Problem) -> (dimensions: [[Double]], label: String) {
    var parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let label = hasClasses ? TimeSeriesFile.withoutBlanksAround(parts.removeLast()) : ""
    guard !parts.isEmpty else { throw malformed("values, a colon and a class", String(text), line) }
    guard !needsClasses || isDeclared(label) else {
      throw malformed("one of the classes of @classLabel, \(listed(declaredWords.map(\.text)))", label, line)
    }
    var dimensions: [[Double]] = []
    for part in parts {
      var values: [Double] = []
      for field in part.split(separator: ",", omittingEmptySubsequences: false) {
        guard let value = NumberText.value(field) else {
          throw .data(
            "\(NumberText.isMissing(field) ? "missing value" : "not a number") — expected a number, got "
              + "\(quoted(String(field))) (\(name), line \(line), dimension \(dimensions.count + 1), value "
              + "\(values.count + 1))",
            hint: NumberText.isMissing(field) ? "fill the holes or leave the series out" : nil)
        }
        values.append(value)
      }
      dimensions.append(values)
    }
    return (dimensions, label)
  }

  /// Whether the words of a class stand one after the other behind @classLabel.
  private func isDeclared(_ label: String) -> Bool {
    let words = TimeSeriesFile.words(label)
    guard let first = words.first, words.count <= declaredWords.count else { return false }
    return (0...declaredWords.count - words.count).contains { place in
      declaredWords[place] == first && declaredWords[place..<place + words.count].elementsEqual(words)
    }
  }

  private static func words(_ text: some StringProtocol) -> [ExactString] {
    text.split { $0 == " " || $0 == "\t" }.map { ExactString(String($0)) }
  }

  private static func withoutBlanksAround(_ text: Substring) -> String {
    let rest = text.drop { $0 == " " || $0 == "\t" }
    return String(rest.prefix(rest.count - rest.reversed().prefix { $0 == " " || $0 == "\t" }.count))
  }

  private func check(_ series: [[Double]], line: Int) throws(Problem) {
    if let dimensions, series.count != dimensions {
      throw malformed("\(dimensions) dimensions", "\(series.count)", line)
    }
    let length = equalLength ? seriesLength ?? series[0].count : series[0].count
    for (index, values) in series.enumerated() where values.count != length {
      throw malformed("\(length) values in dimension \(index + 1)", "\(values.count)", line)
    }
  }

  private func refusal(_ what: String, _ hint: String?, _ line: Int) -> Problem {
    .data("\(what) — expected labelled series of plain values, got \(what) (\(name), line \(line))", hint: hint)
  }

  private func malformed(_ expected: String, _ got: String, _ line: Int) -> Problem {
    .data("malformed series file — expected \(expected), got \(quoted(got)) (\(name), line \(line))")
  }
}
