import Foundation
import TestSupport
import Testing

extension Commands {
  /// A label for each word, from the data to the predictions.
  struct TaggingTests {
    private static let arguments =
      ["task=tagging", "data.path=words.txt", "model.hidden=10", "model.embedding=6", "batch.sequences=7"]
      .flatMap { ["--set", $0] }

    /// Sequences of 1 to 9 letters; the label of a letter says whether the next one is the same.
    private static let words: String = {
      var state = UInt32(5)
      func draw(_ count: Int) -> Int {
        state = state &* 1_664_525 &+ 1_013_904_223
        return Int(state >> 16) % count
      }
      return (0..<60).map { index in
        let letters = (0...index % 9).map { _ in ["a", "b", "é"][draw(3)] }
        return letters.indices.map { place in
          let isSame = place + 1 < letters.count && letters[place] == letters[place + 1]
          return "\(letters[place]) \(isSame ? "same" : "other")\n"
        }.joined()
      }.joined(separator: "\n")
    }()

    private func train(
      _ run: String, _ more: [String] = [], steps: Int = 12, ranks: Int?, in workspace: Workspace
    ) throws -> Record {
      try workspace.output(
        ["train", "--run", run, "--steps", "\(steps)"] + Self.arguments + more, ranks: ranks)
      return try #require(try workspace.metrics(run).last)
    }

    /// With dropout of all kinds; one way also in segments.
    @Test(arguments: ["false", "true"]) func bitsDependNeitherOnRanksNorOnAStop(bothWays: String) throws {
      try Workspace.run { workspace in
        try workspace.put(Self.words, "words.txt")
        let settings = [
          "model.bidirectional=\(bothWays)", "model.layers=2", "model.dropout=0.25", "model.weightDropout=0.2",
          "model.embeddingDropout=0.1",
        ].flatMap { ["--set", $0] }
        let alone = try train("alone", settings, ranks: nil, in: workspace)
        #expect(alone.event == "finished" && alone.validationLoss != nil)
        for ranks in [2, 3, 4] { #expect(try train("on\(ranks)", settings, ranks: ranks, in: workspace) == alone) }
        let recompute = ["--set", "training.recompute=\(bothWays == "true" ? "off" : "2")"]
        _ = try train("stopped", settings + recompute, steps: 5, ranks: 3, in: workspace)
        let passes = ["--set", "batch.accumulate=3"]
        #expect(try train("stopped", settings + passes, ranks: 2, in: workspace) == alone)
        let results = try [nil, 3].map { try workspace.output(["evaluate", "stopped"], ranks: $0) }
        #expect(results[0] == results[1])
        #expect(results[0].contains("loss: \(try #require(alone.validationLoss)) nats a word\n"))
        let said = try [nil, 2, 4].map { try workspace.output(["predict", "stopped", "words.txt"], ranks: $0) }
        #expect(said[0] == said[1] && said[0] == said[2])
        try workspace.output(["verify", "alone", "--from", "0"], ranks: 3)
      }
    }

    /// The next letter is seen from both sides alone.
    @Test func whatIsLearnedIsMeasuredAndPredictedAlike() throws {
      try Workspace.run { workspace in
        try workspace.put(Self.words, "words.txt")
        let settings = ["model.bidirectional=true", "optimizer.learningRate=0.02"].flatMap { ["--set", $0] }
        _ = try train("run", settings, steps: 200, ranks: 2, in: workspace)
        let all = try workspace.output(["evaluate", "run", "--data", "words.txt"], ranks: nil)
        #expect(all.contains("sequences: words.txt, 60, 291 words") && all.contains("accuracy: 1.0000"), "\(all)")
        try workspace.put("a\na\r\nb\n\nb\n", "new.txt")
        let said = try predictions(workspace.output(["predict", "run", "new.txt"], ranks: nil))
        #expect(said.map(\.name) == ["new.txt:1", "new.txt:5"])
        #expect(said.map(\.words) == [["a", "a", "b"], ["b"]])
        #expect(said.map(\.labels) == [["same", "other", "other"], ["other"]])
        #expect(said.flatMap(\.probabilities).allSatisfy { (0.5...1).contains($0) })
      }
    }

    @Test func whatCannotBeLearnedOrSaidIsRefused() throws {
      try Workspace.run { workspace in
        try workspace.put(Self.words, "words.txt")
        _ = try train("run", steps: 1, ranks: nil, in: workspace)
        try workspace.put("a same\n\nb new\n", "new.txt")
        let train = ["train", "--run", "none"] + Self.arguments
        for (settings, code, words) in [
          (["data.validation=new.txt"], 65, "unknown label"), (["data.path=missing.txt"], 74, "cannot be read"),
          (["batch.steps=4"], 65, "sequence is too long"), (["data.tokens=characters"], 78, "data.tokens"),
          (["model.pooling=mean"], 78, "model.pooling"), (["model.tied=true"], 78, "model.tied"),
        ] as [([String], Int32, String)] {
          try workspace.expectRefusal(
            train + settings.flatMap { ["--set", $0] }, exitCode: code, [words], ranks: [nil, 3])
        }
        try workspace.expectRefusal(["sample", "run"], exitCode: 78, ["nothing can be drawn"], ranks: [nil])
        try workspace.expectRefusal(
          ["evaluate", "run", "--data", "new.txt"], exitCode: 65, ["unknown label", "\"new\""], ranks: [nil, 2])
        try workspace.put("", "empty.txt")
        for path in ["predict", "evaluate"] {
          let data = path == "predict" ? ["empty.txt"] : ["--data", "empty.txt"]
          try workspace.expectRefusal([path, "run"] + data, exitCode: 65, ["no sequences"], ranks: [nil])
        }
      }
    }

    private struct Prediction: Decodable {
      let name: String
      let words: [String]
      let labels: [String]
      let probabilities: [Float]
    }

    private func predictions(_ output: String) throws -> [Prediction] {
      try output.split(separator: "\n").map { try JSONDecoder().decode(Prediction.self, from: Data($0.utf8)) }
    }
  }
}
