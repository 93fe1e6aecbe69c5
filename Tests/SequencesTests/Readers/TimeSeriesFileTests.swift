import Sequences
import Testing

@Suite struct TimeSeriesFileTests {
  private let header = "#comment\n@problemName p\n@timeStamps false\n@classLabel true b a c\n"

  private func read(_ text: String, classes: [String]? = nil) throws -> MeasuredValues {
    try TimeSeriesFile.read(bytes: Array(text.utf8), classes: classes, name: "x.ts")
  }

  @Test(arguments: ["\n", "\r\n"])
  func seriesOfDifferentLengthsAreReadTimeFirst(end: String) throws {
    let text = header + "@data\n1,2,3:4,5,6:b\n\n-1e1 , .5:7,8: a\n#9:9:c\n9:9:b\n"
    for mark in ["", "\u{FEFF}"] {
      let series = try read(mark + text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: end))
      #expect(series.count == 3 && series.width == 2 && series.lengths == [3, 2, 1])
      #expect(series.classes == ["a", "b"] && series.labels == [1, 0, 1])
      #expect(
        Array(series[0]) == [1, 4, 2, 5, 3, 6] && Array(series[1]) == [-10, 7, 0.5, 8] && Array(series[2]) == [9, 9])
      #expect(series.names[1] == "x.ts:8")
    }
  }

  @Test(
    arguments: [
      ("", "an empty file"), ("@classLabel true a b\n", "expected a line @data"), ("@data\n1:a\n", "no classes"),
      ("1,2:a\n", "not a header line"), ("@classLabel true a b\n@data\n", "no series"),
      ("@classLabel\n@data\n", "true or false behind @classlabel"),
      ("@classLabel false\n@data\n1\n", "without classes"), ("@targetLabel true\n@data\n", "target values"),
      ("@timeStamps true\n@data\n", "time stamps"), ("@dimensions 0\n", "at least 1 behind @dimensions, got \"0\""),
      ("@dimensions many\n", "got \"many\""),
      ("@classLabel true a b\n@data\n1,2:a\n1,2:d\n", "classes of @classLabel, a, b, got \"d\" (x.ts, line 4)"),
      ("@classLabel true a b\n@data\na\n", "values, a colon and a class"),
      ("@classLabel true a b\n@data\n1,2:3:a\n", "2 values in dimension 2, got \"1\" (x.ts, line 3)"),
      ("@classLabel true a b\n@data\n1:2:a\n1:b\n", "2 dimensions, got \"1\" (x.ts, line 4)"),
      ("@univariate true\n@classLabel true a b\n@data\n1:2:a\n", "1 dimensions, got \"2\""),
      ("@equalLength true\n@classLabel true a b\n@data\n1,2:a\n1:b\n", "2 values in dimension 1, got \"1\""),
      ("@equalLength true\n@seriesLength 3\n@classLabel true a b\n@data\n1,2:a\n", "3 values in dimension 1"),
      ("@classLabel true a b\n@data\n1,?,2:a\n", "missing value"),
      ("@classLabel true a b\n@data\n1,NaN:a\n", "line 3, dimension 1, value 2"),
      ("@classLabel true a b\n@data\n1,x:a\n", "not a number"), ("@classLabel true a b\n@data\n:a\n", "missing value"),
      ("@classLabel true a b\n@data\n1,:a\n", "missing value"),
      ("@classLabel true a b\n@data\n1:a\n2:a\n", "one class only"),
    ])
  func whatContradictsTheHeaderOrIsNoSeriesIsNamedByLine(text: String, what: String) {
    expectBadData(what, "x.ts") { _ = try read(text) }
  }

  @Test func oneSeriesIsEnoughWhereItsClassIsKnown() throws {
    let one = try read(header + "@data\n1:c\n", classes: ["a", "c"])
    #expect(one.labels == [1] && one.classes == ["a", "c"])
    expectBadData("unknown class", "a, c, got \"b\" (x.ts:6)") {
      _ = try read(header + "@data\n1:b\n", classes: ["a", "c"])
    }
  }

  @Test func latin1IsRefused() {
    expectBadData("not UTF-8") {
      _ = try TimeSeriesFile.read(bytes: Array("@classLabel true ".utf8) + [0xE9, 0x0A], name: "x.ts")
    }
  }

  @Test func seriesOfOneStepAndOf100000AreRead() throws {
    let series = try read(
      header + "@data\n" + [String](repeating: "0.25", count: 100_000).joined(separator: ",") + ":a\n1:b")
    #expect(series.lengths == [100_000, 1] && series.elements[99_999] == 0.25)
  }
}
