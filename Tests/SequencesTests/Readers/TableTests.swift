import Foundation
import Sequences
import Testing

@Suite struct TableTests {
  private func texts(_ table: String, tsv: Bool = false, classes: [String]? = nil) throws -> LabelledTexts {
    try .table(
      bytes: Array(table.utf8), form: TableForm(separator: tsv ? .tab : nil), textColumn: "text", labelColumn: "label",
      classes: classes, name: "t.csv")
  }

  private func strings(_ texts: LabelledTexts) -> [String] {
    (0..<texts.count).map { String(decoding: texts[$0], as: UTF8.self) }
  }

  private func numbers(_ table: String, columns: [String] = []) throws -> NumberTable {
    try NumberTable(bytes: Array(table.utf8), columns: columns, name: "t.csv")
  }

  // MARK: Form

  @Test(
    arguments: ["\n", "\r\n"])
  func fieldsMayHoldQuotesCommasAndLineEnds(end: String) throws {
    let lines = [
      "label,id,text", "b,1,plain", "", "a,2,\"say \"\"no\"\", twice\"", "b,3,\"two\(end)lines\"", "a,4,\"\u{85} é\"",
    ]
    for mark in ["", "\u{FEFF}"] {
      for last in ["", end, end + end] {
        let read = try texts(mark + lines.joined(separator: end) + last)
        #expect(strings(read) == ["plain", "say \"no\", twice", "two\(end)lines", "\u{85} é"])
        #expect(read.classes == ["a", "b"] && read.labels == [1, 0, 1, 0])
        #expect(read.names == ["t.csv:2", "t.csv:4", "t.csv:5", "t.csv:7"])
      }
    }
  }

  @Test func inTSVAQuoteIsACharacter() throws {
    let read = try texts("text\tlabel\n\"so\" it, goes\tx\nb\"\ty\n", tsv: true)
    #expect(strings(read) == ["\"so\" it, goes", "b\""] && read.classes == ["x", "y"])
  }

  @Test(
    arguments: [
      ("", "table is empty", "(t.csv)"), ("\n\r\n", "table is empty", "(t.csv)"),
      ("\u{FEFF}", "table is empty", "(t.csv)"),
      ("text,label\r\n", "no rows", "(t.csv)"),
      ("text,label\na,x\nb\n", "expected 2 fields, got 1", "line 3"),
      ("text,label\na,x\nb,y,\n", "expected 2 fields, got 3", "line 3"),
      ("text,label\na,x\n\"b,y\nc,z\n", "closing quote, got the end of the file", "line 3"),
      ("text,label\na,x\n\"b\"c,y\n", "behind a closing quote", "line 3"),
      ("text,label\na\"b\",x\n", "no double quote inside", "line 2"),
      ("text,label\ra,x\r", "line feed behind a carriage return", "line 1"),
      ("text,class\na,x\n", "missing column", "\"text\", \"class\""),
      ("text,label,text\na,x,b\n", "column named twice", "\"text\""),
      ("text,label\na,x\n,y\n", "empty field", "line 3"), ("text,label\na,x\nb,\n", "\"label\"", "line 3"),
    ])
  func malformedTablesAreNamedByLine(table: String, what: String, place: String) {
    expectBadData(what, place) { _ = try texts(table) }
  }

  @Test func latin1AndUTF16AreRefused() {
    for bytes in [Array("text,label\ncaf".utf8) + [0xE9, 0x2C, 0x61], [0xFF, 0xFE, 0x74, 0x00]] {
      expectBadData("not UTF-8", "t.csv") {
        _ = try LabelledTexts.table(
          bytes: bytes, textColumn: "text", labelColumn: "label", name: "t.csv")
      }
    }
  }

  // MARK: Labels

  @Test func labelsAreOfSeveralClassesAndKnown() throws {
    expectBadData("one class only", "\"x\" for all 2") { _ = try texts("text,label\na,x\nb,x\n") }
    expectBadData("one class only") { _ = try texts("text,label\na,x\n") }
    let one = try texts("text,label\na,x\n", classes: ["x", "y"])
    #expect(one.count == 1 && one.labels == [0] && one.classes == ["x", "y"] && one.classCounts == [1, 0])
    expectBadData("unknown class", "x, y, got \"z\" (t.csv:3)") {
      _ = try texts("text,label\na,x\nb,z\n", classes: ["x", "y"])
    }
  }

  @Test func composedAndDecomposedLettersAreDifferentClasses() throws {
    #expect(try texts("text,label\na,\u{E9}\nb,e\u{301}\n").classes.count == 2)
  }

  @Test func textsBecomeTokensInTheVocabularyOfTheTrainingTexts() throws {
    let read = try texts("text,label\none two,x\ntwo,y\n")
    let words = try read.vocabulary(of: .words, name: "t.csv")
    #expect(words.count == 3)
    #expect(words.decode(try read.tokens(in: words)[0]) == "one two")
    let characters = try read.vocabulary(of: .characters, name: "t.csv")
    let tokens = try read.tokens(in: characters)
    #expect(characters.decode(tokens.elements) == "one twotwo" && tokens.lengths == [7, 3] && tokens.labels == [0, 1])
    let blank = try texts("text,label\n  ,x\ntwo,y\n")
    expectBadData("without words", "t.csv:2") { _ = try blank.tokens(in: words) }
  }

  // MARK: Numbers

  @Test func columnsAreTakenInTheOrderAskedForAndTheOthersAreNotLookedAt() throws {
    let table = try numbers("day,a,wind,b\n2020-01-01,1,NW, 2.5\n2020-01-02,-3e1,SE,.5\n", columns: ["b", "a"])
    #expect(table.columns == ["b", "a"] && table.rows == 2 && table.values == [2.5, 1, 0.5, -30])
    #expect(try numbers("a\n1\n").values == [1])
    expectBadData("not a number", "\"day\"", "\"2020-01-01\"", "line 2") { _ = try numbers("day,a\n2020-01-01,1\n") }
    expectBadData("missing column", "\"c\"") { _ = try numbers("a,b\n1,2\n", columns: ["a", "c"]) }
  }

  @Test(
    arguments: [
      "inf", "-Infinity", "0x1p3", "1e999", "1.2.3", "1e", "+", ".", "--1", "１", "1 2", "1e+", "nan(1)",
    ])
  func whatIsNoDecimalNumberIsRefused(text: String) {
    expectBadData("not a number", "line 2") { _ = try numbers("a\n\"\(text)\"\n") }
  }

  @Test func decimalNumbersAreReadToTheNearestDouble() throws {
    let texts =
      ["1", "+1.", ".5", "-0", "1e-3", "16777217", "3.4028235e38", "1e-60", "\t2E2 ", "0.1", "007", "123456789.5"]
      + [
        "9007199254740993", "1.7976931348623157e308", "1e-400",
        "0.30000000000000004",
      ]
    let truth: [Double] =
      [1, 1, 0.5, 0, 0.001, 16_777_217, 3.4028235e38, 1e-60, 200, 0.1, 7, 123_456_789.5]
      + [9_007_199_254_740_992, .greatestFiniteMagnitude, 0, 0.1 + 0.2]
    #expect(try numbers("a\n" + texts.joined(separator: "\n")).values == truth)
  }

  @Test func columnsBecomeNumbersByTheRuleBehindTheirName() throws {
    let text = "date,hour,wind\n2016-01-01,0,NW\n2016-12-31 23:00,6,\n2017-03-01,-12,SE\n2017-03-01,30,cv\n"
    let read = try NumberTable(
      bytes: Array(text.utf8), columns: ["wind:categories", "hour:cycle=24", "date:year", "hour"], share: 0.25,
      name: "t.csv")
    #expect(
      read.columns == [
        "wind=NW", "wind=SE", "hour:sin24", "hour:cos24", "date:sin-year", "date:cos-year", "hour",
      ])
    let rows = stride(from: 0, to: read.values.count, by: 7).map { Array(read.values[$0..<$0 + 7]) }
    // The last row is held out: its text is no category.
    #expect(rows.map { Array($0[..<4]) } == [[1, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, -1], [0, 0, 1, 0]])
    #expect(rows.map { $0[6] } == [0, 6, -12, 30])
    for (row, day) in zip(rows, [0.0, 365, 60, 60]) {
      let angle = 2 * Double.pi * day / 366
      #expect(abs(Double(row[4]) - sin(angle)) < 1e-6 && abs(Double(row[5]) - cos(angle)) < 1e-6)
    }
    // The names say everything: another table is read the same way.
    let again = try numbers(text, columns: read.columns)
    #expect(again.values == read.values && again.columns == read.columns)
  }

  @Test func aColumnWhoseNameLooksLikeARuleIsFound() throws {
    #expect(try numbers("a:year,b=c\n1,2\n", columns: ["b=c", "a:year"]).values == [2, 1])
    #expect(try numbers("d,h\nNA,\n2000-02-29,5\n", columns: ["d:year", "h:cycle=5"]).holes == 4)
  }

  @Test(
    arguments: [
      ("a:year", "2015-02-29", "a date such as"), ("a:year", "2015-13-01", "a date such as"),
      ("a:year", "15-1-1", "a date such as"), ("a:cycle=7", "1.5", "a whole number"),
      ("a:cycle=7", "1 2", "a whole number"),
      ("a:cycle=0", "1", "missing column"), ("b:year", "1", "missing column"), ("a:month", "1", "not a date"),
      ("a:categories", "NA", "expected 1 to 256 texts, got none"),
    ])
  func rulesThatDoNotFitAreRefused(column: String, field: String, what: String) {
    expectBadData(what, "t.csv") { _ = try numbers("a,c\n\(field),1\n", columns: [column]) }
  }

  // MARK: Holes

  @Test func holesAreAnErrorOrFilledFromAboveOrWithTheTrainingRowsMean() throws {
    let table = try numbers("a,b\nNA,1\n2,\n4,?\nnan,7\nNULL,8\n100,N/A\n")
    #expect(table.rows == 6 && table.holes == 6)
    expectBadData("missing value", "\"a\"", "line 2; 6 of 12") { _ = try table.filled(.error, trainingRows: 0..<6) }
    let previous = try table.filled(.previous, trainingRows: 0..<6)
    #expect(previous.values == [2, 1, 4, 1, 4, 7, 4, 8, 100, 8] && previous.holes == 0 && previous.rows == 5)
    let mean = try table.filled(.mean, trainingRows: 0..<4)
    #expect(mean.values == [3, 1, 2, 4, 4, 4, 3, 7, 3, 8, 100, 4])
    let whole = try numbers("a\n1\n2\n")
    for rule in MissingValues.allCases { #expect(try whole.filled(rule, trainingRows: 0..<1).values == [1, 2]) }
  }

  @Test func aColumnWithoutTrainingValuesCannotBeFilled() throws {
    let empty = try numbers("a,b\n1,NA\n2,NA\n")
    expectBadData("\"b\" of the table") { _ = try empty.filled(.previous, trainingRows: 0..<2) }
    let late = try numbers("a,b\n1,NA\n2,5\n")
    expectBadData("\"b\" of the training rows") { _ = try late.filled(.mean, trainingRows: 0..<1) }
    #expect(try late.filled(.previous, trainingRows: 0..<1).values == [2, 5])
  }

  @Test func aTableOf100000RowsIsRead() throws {
    let table = try numbers("a,b\n" + String(repeating: "1,NA\r\n2,0.5\r\n", count: 50_000))
    #expect(table.rows == 100_000 && table.holes == 50_000)
  }
}
