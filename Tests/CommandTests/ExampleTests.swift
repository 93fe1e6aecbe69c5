import Foundation
import TestSupport
import Testing

extension Commands {
  /// The files in config/ train.
  struct ExampleTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("config")
    private static let files =
      (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?
      .filter { $0.hasSuffix(".yaml") }.sorted() ?? []

    /// Where the data of a file lie in `LSTM_DIST_DATA`, by its key; generated tasks need none.
    private static let data: [String: [String: String]] = [
      "daily-temperature": ["data.path": "small-series/daily-min-temperatures.csv"],
      "fsdd": ["data.path": "fsdd/recordings"],
      "japanese-vowels": [
        "data.path": "ts-classification/JapaneseVowels/JapaneseVowels_TRAIN.ts",
        "data.validation": "ts-classification/JapaneseVowels/JapaneseVowels_TEST.ts",
      ],
      "jsb-chorales": ["data.path": "jsb-chorales/jsb-chorales-quarter.json"],
      "mr-polarity": ["data.path": "mr-polarity/utf8"],
      "names18": ["data.path": "names18"],
      "pm25": ["data.path": "small-series/pollution.csv"],
      "sunspots": ["data.path": "small-series/monthly-sunspots.csv"],
      "tinyshakespeare": ["data.path": "tinyshakespeare/input.txt"],
      "wikitext-2": ["data.path": "wikitext-2/wiki.valid.tokens"],
    ]

    @Test func thereAreFiles() { #expect(Self.files.count >= 14) }

    /// However long the file's own training is.
    @Test(arguments: files)
    func twoStepsOfEachFileCanBeTrained(file: String) throws {
      let data = Self.data[String(file.dropLast(".yaml".count))] ?? [:]
      let root = ProcessInfo.processInfo.environment["LSTM_DIST_DATA"]
      let places = data.mapValues { "\(root ?? "")/\($0)" }
      guard places.values.allSatisfy(FileManager.default.fileExists) else {
        try Test.cancel("its data are not in LSTM_DIST_DATA")
      }
      // A large text is evaluated on a small one.
      let heldOut =
        ["tinyshakespeare.yaml", "wikitext-2.yaml"].contains(file) ? ["data.validation": "corpus.txt"] : [:]
      try Workspace.run { workspace in
        try workspace.output(
          ["train", "--config", Self.folder.appendingPathComponent(file).path, "--run", "run", "--steps", "2"]
            + places.merging(heldOut) { $1 }.flatMap { ["--set", "\($0)=\($1)"] }, ranks: 2)
        let last = try #require(try workspace.metrics("run").last)
        #expect(last.event == "finished" && last.step == 2)
      }
    }
  }
}
