import Files
import Foundation
import Problems
import Sequences
import Testing

/// Labels of sequences as programs and people write them.
struct LabelCases {
  @Test(arguments: names + numbers + columns + series + folders)
  func labelsAreReadAsTheyAreMeantOrRefused(fieldCase: FieldCase) throws { try fieldCase.check() }

  /// A table of texts, with the labels in turn.
  private static func table(_ labels: [String], rows: Int = 40, header: String = "text,label") -> String {
    "\(header)\n" + (0..<rows).map { "hello \($0 % 4),\(labels[$0 % labels.count])\n" }.joined()
  }

  // MARK: Names

  private static let names: [FieldCase] = [
    .labels(
      "a blank behind", table(["pos", "pos ", "neg"]),
      outcome: .read(.init(told: ["differ in blanks only", "\"pos\" and \"pos \""], classes: ["neg", "pos", "pos "]))),
    .labels(
      "blanks within", table(["walk up", "walkup"]),
      outcome: .read(.init(told: ["differ in blanks only"], classes: ["walk up", "walkup"]))),
    .labels(
      "capitals", table(["Pos", "pos", "neg"]),
      outcome: .read(.init(told: ["differ in case only", "\"Pos\" and \"pos\""]))),
    .labels(
      "capitals and blanks", table(["Pos ", "pos", "neg"]),
      outcome: .read(.init(told: ["differ in blanks, case or"]))),
    .labels(
      "whole numbers and floats", table(["0", "1", "1.0"]),
      outcome: .read(.init(told: ["are the same number", "\"1\" and \"1.0\""], classes: ["0", "1", "1.0"]))),
    .labels(
      "zeros before numbers", table(["01", "1", "2"]), outcome: .read(.init(told: ["are the same number", "\"01\""]))),
    .labels(
      "normal forms", table(["caf\u{E9}", "cafe\u{301}", "tea"]),
      outcome: .read(.init(told: ["normal form", "\\u{00E9}", "e\\u{0301}"]))),
    .labels(
      "characters that are not shown", table(["pos", "pos\u{200B}", "neg"]),
      outcome: .read(.init(told: ["not shown"]))),
    .labels(
      "nan", table(["nan", "a", "b"]), outcome: .read(.init(told: ["reads as a missing value", "\"nan\""]))),
    .labels(
      "None", table(["None", "a", "b"]), outcome: .read(.init(told: ["reads as a missing value", "\"None\""]))),
    .labels("blanks alone", table([" ", "a"]), outcome: .read(.init(told: ["missing value", "\" \""]))),
    .labels("a line feed", table(["\"a\nb\"", "\"x,y\""]), outcome: .read(.init(classes: ["a\nb", "x,y"]))),
    .files(
      "a label of other data that looks like a class",
      ["t.csv": Array(table(["0", "1"]).utf8), "v.csv": Array(table(["0.0", "1.0"]).utf8)], "task=classification",
      "data.path=./t.csv", "data.validation=./v.csv",
      outcome: .refused(["expected one of 0, 1, got \"0.0\"", "are the same number", "make them one"])),
  ]

  // MARK: Numbers

  private static let numbers: [FieldCase] = [
    .labels(
      "measured numbers", table((0..<1500).map { "0.\(1000 + $0)" }, rows: 1500),
      outcome: .refused(["numbers for classes", "1500 different numbers", "data.labelColumn", "task=forecasting"])),
    .labels(
      "a few measured numbers", table((0..<20).map { "\($0).5" }, rows: 20),
      outcome: .refused(["numbers for classes", "task=forecasting"])),
    .labels(
      "numbers of rows", table((0..<200).map { "\($0)" }, rows: 200),
      outcome: .refused(["numbers for classes", "200 of them once"])),
    .labels(
      "texts", table((0..<200).map { "text \($0)" }, rows: 200),
      outcome: .refused(["texts for classes", "data.labelColumn"])),
    .labels(
      "stars", table(["1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0", "0.5"], rows: 400),
      outcome: .read(.init(classes: ["0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0"]))),
    .labels(
      "many classes with many texts", table((0..<150).map { "c\($0)" }, rows: 1500), outcome: .read(.init(count: 1500))),
  ]

  // MARK: Columns

  private static let columns: [FieldCase] = [
    .labels(
      "a suffix in capitals", table(["a", "b"]), file: "TRAIN.CSV",
      outcome: .read(.init(count: 40, classes: ["a", "b"]))),
    .labels(
      "a suffix in some capitals", table(["a", "b"]).replacing(",", with: "\t"), file: "t.Tsv",
      outcome: .read(.init(count: 40, classes: ["a", "b"]))),
    .labels(
      "a table of another name", table(["a", "b"]), file: "t.txt",
      outcome: .refused(["not a folder", "data.source=table"], exit: .inputOutput)),
    .labels(
      "a table of another name, said", table(["a", "b"]), file: "t.txt", "data.source=table",
      outcome: .read(.init(count: 40))),
    .labels(
      "other names of columns", table(["a", "b"], header: "review,sentiment"),
      outcome: .refused(["expected one \"text\"", "\"review\", \"sentiment\"", "data.textColumn says which"])),
    .labels(
      "a name in another normal form", table(["a", "b"], header: "text,cate\u{301}gorie"),
      "data.labelColumn=cat\u{E9}gorie", outcome: .refused(["normal form"])),
    .labels(
      "one column for both", table(["a", "b"]), "data.labelColumn=text",
      outcome: .refused(["one column"], exit: .badConfiguration)),
    .labels(
      "the header again", table(["a", "b"]) + table(["a", "b"]), outcome: .refused(["header repeated", "line 42"])),
  ]

  // MARK: Series

  private static func series(_ classes: String, _ lines: [String]) -> String {
    "# about\n@problemName t\n@univariate true\n@classLabel true \(classes)\n@data\n"
      + (0..<4).map { _ in lines.map { "\($0)\n" }.joined() }.joined()
  }

  private static let series: [FieldCase] = [
    .labels(
      "blanks within a class of a series", series("walk up walkup stand", ["0,1:walk up", "1,1:walkup"]), file: "t.ts",
      "data.validation=0",
      outcome: .read(
        .init(
          told: ["differ in blanks only", "without a series", "\"stand\""], count: 8, classes: ["walk up", "walkup"]))
    ),
    .labels(
      "a class of two words", series("walk up sit", ["0,1: walk up", "1,1:sit "]), file: "t.ts", "data.validation=0",
      outcome: .read(.init(count: 8, classes: ["sit", "walk up"]))),
    .labels(
      "words of a class put together", series("walk up sit", ["0,1:walkup", "1,1:sit"]), file: "t.ts",
      outcome: .refused(["walk, up, sit", "got \"walkup\"", "line 6"])),
    .labels(
      "words of a class in another order", series("walk up sit", ["0,1:up walk", "1,1:sit"]), file: "t.ts",
      outcome: .refused(["got \"up walk\""])),
    .labels(
      "a comment between series", series("a b", ["0,1:a", "# pause", "1,1:b"]), file: "t.TS", "data.validation=0",
      outcome: .read(.init(told: ["comment is passed over", "line 7"], count: 8, classes: ["a", "b"]))),
  ]

  // MARK: Folders

  private static func text(_ lines: Int) -> [UInt8] { Array((0..<lines).map { "hello \($0 % 3)\n" }.joined().utf8) }

  private static let folders: [FieldCase] = [
    .files(
      "a class of one example", ["f/a.txt": text(9), "f/z.txt": text(1)], "task=classification", "data.path=./f",
      outcome: .read(.init(told: ["class of which nothing is held out", "\"z\""], count: 10, classes: ["a", "z"]))),
    .files(
      "two classes of one example each", ["f/a.txt": text(1), "f/z.txt": text(1)], "task=classification",
      "data.path=./f", "data.validation=0.5",
      outcome: .read(.init(told: ["class without anything to train on", "\"z\""], count: 2))),
    .files(
      "classes that differ in case", ["f/Pos.txt": text(9), "f/pos.txt": text(9)], "task=classification",
      "data.path=./f",
      outcome: .read(.init(told: ["differ in case only"], classes: ["Pos", "pos"]))),
    .files(
      "a file for each text",
      Dictionary(uniqueKeysWithValues: (0..<120).map { ("f/\($0)_9.txt", text(1)) }), "task=classification",
      "data.path=./f", outcome: .refused(["for classes", "data.files"])),
  ]

  // MARK: Predicting

  /// A file to predict, for a model of a table or of class files.
  struct Predicted: Sendable {
    let name: String
    let text: String
    var isTable = true
    var form = TableForm()
    var names: [String] = []
    var told: [String] = []
    var refused: [String] = []
  }

  private static func blanksForm() -> TableForm { TableForm(separator: .blanks) }

  @Test(arguments: [
    Predicted(name: "new.csv", text: "id,text\n7,hello\n8,a b\n", names: ["new.csv:2", "new.csv:3"]),
    Predicted(name: "NEW.CSV", text: "id,text\n7,hello\n", names: ["NEW.CSV:2"]),
    Predicted(name: "new.Tsv", text: "id\ttext\n7\thello\n", names: ["new.Tsv:2"]),
    Predicted(name: "new.CSV", text: "id;text\n7;hello\n", names: ["new.CSV:2"], told: ["semicolons"]),
    Predicted(name: "new.txt", text: "id\ttext\n7\thello\n", names: ["new.txt:2"], told: ["taken for a table"]),
    Predicted(
      name: "standard input", text: "\u{FEFF}text,id\r\nhello,7\r\n", names: ["standard input:2"], told: ["table"]),
    Predicted(name: "standard input", text: "sep=;\nid;text\n7;hello\n", names: ["standard input:3"], told: ["table"]),
    Predicted(
      name: "standard input", text: "# by hand\nid,text\n7,hello\n", names: ["standard input:3"], told: ["comment"]),
    Predicted(name: "standard input", text: "text\nhello\nyou\n", names: ["standard input:2", "standard input:3"]),
    Predicted(name: "standard input", text: "\"text\"\n\"hello, you\"\n", names: ["standard input:2"]),
    Predicted(
      name: "standard input", text: "hello\nthe text, or so\n", names: ["standard input:1", "standard input:2"],
      told: ["taken for texts"]),
    Predicted(name: "standard input", text: "the text here\nhello\n", names: ["standard input:1", "standard input:2"]),
    Predicted(
      name: "standard input", text: "id,Text\n7,hello\n", refused: ["expected one \"text\"", "capitals count"]),
    Predicted(name: "standard input", text: "id,review\n7,hello\n", refused: ["table without a column", "\"review\""]),
    Predicted(name: "new.csv", text: "id,review\n7,hello\n", refused: ["expected one \"text\"", "data.textColumn"]),
    Predicted(name: "new.csv", text: "text\n", refused: ["no rows"]),
    Predicted(name: "standard input", text: "id,text\n", refused: ["no rows"]),
    Predicted(name: "empty.txt", text: "", told: ["without anything to predict"]),
    Predicted(name: "new.csv", text: "text,id\nhello,1\ntext,id\nhello,2\n", refused: ["header repeated"]),
    Predicted(
      name: "standard input", text: "text id\nhello 1\n", form: blanksForm(), names: ["standard input:2"],
      told: ["table"]),
    Predicted(name: "new.csv", text: "text,label\nhello,a\n", isTable: false, names: ["new.csv:2"], told: ["\"text\""]),
    Predicted(
      name: "new.CSV", text: "review,label\nhello,a\n", isTable: false, refused: ["expected one called \"text\""]),
    Predicted(name: "standard input", text: "text,label\nhello,a\n", isTable: false, names: ["standard input:2"]),
    Predicted(
      name: "standard input", text: "text\nhello, a\n", isTable: false, names: ["standard input:1", "standard input:2"]),
  ])
  func aTableIsKnownByItsHeader(predicted: Predicted) throws {
    let encoding = try LabelCases.encoding()
    let account = DataAccount()
    func input() throws -> ClassifierInput {
      let form: LabelledFiles =
        predicted.isTable
        ? .table(textColumn: "text", labelColumn: "label", predicted.form) : .classFiles(try NamePattern("{class}.txt"))
      return try encoding.input(of: [(predicted.name, Array(predicted.text.utf8))], form: form, account: account)
    }
    guard predicted.refused.isEmpty else {
      let error = #expect(throws: Problem.self) { try input() }
      for word in predicted.refused { #expect("\(error!)".contains(word), "\(error!)") }
      return
    }
    #expect(try input().names == predicted.names)
    for word in predicted.told { #expect(account.remarks.contains { $0.what.contains(word) }, "\(account.remarks)") }
  }

  private static func encoding() throws -> ClassifierEncoding {
    let texts = try LabelledTexts.table(
      bytes: Array("text,label\nhello,a\nyou,b\n".utf8), textColumn: "text", labelColumn: "label", name: "t")
    let vocabulary = String(decoding: try texts.vocabulary(of: .words, name: "t").json(), as: UTF8.self)
    let json = #"{"classes":["a","b"],"trainingCounts":[1,1],"vocabulary":\#(vocabulary)}"#
    return try ClassifierEncoding(json: Data(json.utf8), name: "t")
  }

  @Test func aModelOfTablesWithoutNamesTakesStandardInputForOne() throws {
    var form = TableForm()
    form.header = .none
    let input = try LabelCases.encoding().input(
      of: [("standard input", Array("hello,1\nyou,2\n".utf8))],
      form: .table(textColumn: "0", labelColumn: "1", form))
    #expect(input.names == ["standard input:1", "standard input:2"] && input.lengths == [1, 1])
  }

  // MARK: Held out

  @Test func aClassOfOneExampleIsTrainedOn() throws {
    // Of 40 sequences 4 are held out; whichever seed, no class is held out whole.
    let rows = (0..<20).map { "x,a\ny,b\($0 % 4 < 2 ? "" : "\($0)")\n" }.joined()
    for seed in 0..<20 as Range<UInt64> {
      let all = try LabelledTexts.table(
        bytes: Array(("text,label\n" + rows).utf8), textColumn: "text", labelColumn: "label", name: "t")
      let (training, heldOut) = try all.holdingOut(share: 0.1, seed: seed)
      #expect(training.classCounts.allSatisfy { $0 >= 1 } && heldOut.count == 4 && training.count == 36)
    }
  }

  // MARK: Shown

  @Test func namesAreShownSoThatTheyCannotBeMisread() {
    #expect(ClassNames.shown(["a", "walk up", "été", "B-LOC"]) == ["a", "walk up", "été", "B-LOC"])
    #expect(
      ClassNames.shown(["a ", "", "a\nb", "x,y", "a\"b", "a  b", "a\u{200B}"])
        == ["\"a \"", "\"\"", "\"a\\nb\"", "\"x,y\"", "\"a\\\"b\"", "\"a  b\"", "\"a\\u{200B}\""])
    #expect(ClassNames.shown(["caf\u{E9}", "cafe\u{301}"]) == ["\"caf\\u{00E9}\"", "\"cafe\\u{0301}\""])
  }
}
