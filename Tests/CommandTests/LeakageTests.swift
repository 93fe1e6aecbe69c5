import Foundation
import TestSupport
import Testing

extension Commands {
  /// What is fitted to data (vocabularies, means and deviations, categories) is fitted to the training part alone:
  /// another held-out value changes no bit of the training.
  struct LeakageTests {
    /// A task whose data have a held-out part, and how that becomes another one.
    struct Change: CustomTestStringConvertible, Sendable {
      let name: String
      var settings: [String]
      /// Writes the data; `isOther` says with which held-out part.
      let write: @Sendable (Workspace, _ isOther: Bool) throws -> Void

      var testDescription: String { name }
    }

    private static let classifier = ["--config", "classifier.yaml"]

    private static func settings(_ settings: String...) -> [String] { settings.flatMap { ["--set", $0] } }

    /// Replaces the line of this number, counted from 1, of a file.
    private static func replaceLine(_ number: Int, of file: String, with line: String, in workspace: Workspace) throws {
      var lines = try workspace.text(file).components(separatedBy: "\n")
      lines[number - 1] = line
      try workspace.put(lines.joined(separator: "\n"), file)
    }

    private static func classes(
      _ name: String, _ fixture: LabelledFixture, _ settings: [String],
      _ change: @escaping @Sendable (Workspace) throws -> Void
    ) -> Change {
      Change(name: name, settings: classifier + settings) { workspace, isOther in
        try? workspace.remove(fixture == .texts ? "texts" : fixture == .audio ? "clips" : "classifier.yaml")
        try fixture.write(workspace)
        if isOther { try change(workspace) }
      }
    }

    /// A text whose end is another one, of as many bytes: the cut before the held-out part counts them.
    private static func corpus(isOther: Bool) -> [UInt8] {
      let bytes = Array(Workspace.corpus(characters: 950).utf8)
      return isOther
        ? bytes.dropLast(60) + Array(String(repeating: "Ωz in ", count: 8).utf8) + Array("quiz".utf8) : bytes
    }

    private static func table(isOther: Bool) -> String {
      let rows = (0..<90).map { row in
        let isChanged = isOther && row == 85
        let value = row == 10 ? "" : isChanged ? "1000" : "\([0, 4, 7, 8, 5, 1][row % 6] + row / 30)"
        return "\(value),\(isChanged ? 9 : row % 4)\n"
      }
      return "b,a\n" + rows.joined()
    }

    static let changes: [Change] = [
      Change(name: "characters", settings: ["--config", "small.yaml"]) { workspace, isOther in
        try workspace.put(corpus(isOther: isOther), "corpus.txt")
      },
      Change(
        name: "words", settings: ["--config", "small.yaml"] + settings("data.tokens=words", "data.vocabulary=7")
      ) { workspace, isOther in
        try workspace.put(corpus(isOther: isOther), "corpus.txt")
      },
      Change(
        name: "another text", settings: ["--config", "small.yaml"] + settings("data.validation=other.txt")
      ) { workspace, isOther in
        try workspace.put(isOther ? "rain in the été Ω rain" : "the rain in the rain", "other.txt")
      },
      classes(
        "lines", .texts, settings("data.path=texts", "data.tokens=characters", "data.heldOut=up.txt:3|down.txt:2")
      ) {
        try replaceLine(3, of: "texts/up.txt", with: "Ω ab Ω", in: $0)
      },
      classes("rows", .table, settings("data.path=table.csv", "data.tokens=words", "data.heldOut=table.csv:5")) {
        try replaceLine(5, of: "table.csv", with: "unheard,1", in: $0)
      },
      classes("series", .series, settings("data.path=series.ts", "data.validation=other.ts")) {
        try replaceLine(4, of: "other.ts", with: "1000,3:-7,2:up", in: $0)
      },
      classes("series of one file", .series, settings("data.path=series.ts", "data.heldOut=series.ts:6")) {
        try replaceLine(6, of: "series.ts", with: "1000,3,5:-7,2,5:up", in: $0)
      },
      classes("clips", .audio, LabelledFixture.audio.settings) {
        try $0.put(LabelledFixture.clip(samples: 700, period: 17), "clips/low_3.wav")
      },
      Change(
        name: "forecasts",
        settings: settings(
          "task=forecasting", "data.path=t.csv", "data.columns=b,a:categories", "data.missing=mean", "batch.steps=5",
          "model.hidden=10")
      ) { workspace, isOther in try workspace.put(table(isOther: isOther), "t.csv") },
      Change(
        name: "tagged words",
        settings: settings("task=tagging", "data.path=words.txt", "data.validation=other.txt", "model.hidden=10")
      ) { workspace, isOther in
        try workspace.put((0..<30).map { "\("abc".dropFirst($0 % 3).prefix(1)) x\nb y\n\n" }.joined(), "words.txt")
        try workspace.put(isOther ? "Ω y\nb x\n" : "a x\nb y\n", "other.txt")
      },
    ]

    @Test(arguments: changes) func anotherHeldOutValueChangesNoBitOfTheTraining(change: Change) throws {
      try Workspace.run { workspace in
        for (run, isOther) in [("one", false), ("other", true)] {
          try change.write(workspace, isOther)
          try workspace.output(
            ["train", "--run", run, "--steps", "6"] + change.settings
              + Self.settings("training.evaluateEvery=3", "verify.every=2"), ranks: nil)
        }
        let comparison = RunComparison(
          ignoredEvents: ["data", "evaluated"], ignoredMembers: ["validationLoss"], ignoredTensors: ["tokensSHA256"])
        let difference = try comparison.difference(workspace.path("one"), workspace.path("other"))
        #expect(difference == nil)
        // It was another one indeed.
        let losses = try ["one", "other"].map { try workspace.metrics($0).last?.validationLoss }
        #expect(losses[0] != nil && losses[0] != losses[1])
      }
    }
  }
}
