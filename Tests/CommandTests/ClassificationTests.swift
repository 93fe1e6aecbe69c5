import Files
import Foundation
import TestSupport
import Testing

extension Commands {
  /// Classes of whole sequences, from the data to the predictions.
  struct ClassificationTests {
    private func withData(_ fixture: LabelledFixture, _ body: (Workspace) throws -> Void) throws {
      try Workspace.run { workspace in
        try fixture.write(workspace)
        try body(workspace)
      }
    }

    private func train(
      _ workspace: Workspace, _ fixture: LabelledFixture, _ run: String, _ arguments: [String] = [], ranks: Int?
    ) throws -> Record {
      try workspace.output(
        ["train", "--config", "classifier.yaml", "--run", run] + fixture.settings + arguments, ranks: ranks)
      return try #require(try workspace.metrics(run).last)
    }

    @Test(arguments: LabelledFixture.allCases)
    func everyNumberOfRanksTrainsTheSameBits(fixture: LabelledFixture) throws {
      try withData(fixture) { workspace in
        let alone = try train(workspace, fixture, "alone", ranks: nil)
        #expect(alone.event == "finished" && alone.parametersSHA256?.count == 64 && alone.validationLoss != nil)
        for ranks in [2, 4, 5] { #expect(try train(workspace, fixture, "on\(ranks)", ranks: ranks) == alone) }
        _ = try train(workspace, fixture, "stopped", ["--steps", "5"], ranks: 3)
        #expect(try train(workspace, fixture, "stopped", ranks: 2) == alone)
        try workspace.output(["verify", "alone", "--from", "0"], ranks: 3)
      }
    }

    /// With dropout of numbers and of recurrent weights; what a checkpoint holds is what was trained.
    @Test(arguments: [LabelledFixture.texts, .series])
    func bidirectionalLayersTrainTheSameBitsEverywhere(fixture: LabelledFixture) throws {
      try withData(fixture) { workspace in
        let both = [
          "model.bidirectional=true", "model.layers=2", "model.dropout=0.2", "model.weightDropout=0.2",
        ].flatMap { ["--set", $0] }
        let alone = try train(workspace, fixture, "alone", both, ranks: nil)
        for ranks in [2, 3, 4] { #expect(try train(workspace, fixture, "on\(ranks)", both, ranks: ranks) == alone) }
        let messages = ["--set", "distributed.sharedMemory=off", "--trace", "trace.json"]
        #expect(try train(workspace, fixture, "traced", both + messages, ranks: 2) == alone)
        #expect(try String(decoding: workspace.get("trace.json"), as: UTF8.self).contains("layer 1, reverse"))
        _ = try train(workspace, fixture, "stopped", both + ["--steps", "5"], ranks: 3)
        let passes = ["--set", "batch.accumulate=3"]
        #expect(try train(workspace, fixture, "stopped", both + passes, ranks: 2) == alone)
        let results = try [nil, 3].map { try workspace.output(["evaluate", "stopped"], ranks: $0) }
        #expect(results[0].contains("loss: \(try #require(alone.validationLoss)) nats a sequence\n"))
        #expect(results[0] == results[1])
        let said = try [nil, 2].map { try workspace.output(["predict", "alone"] + fixture.unlabelled, ranks: $0) }
        #expect(said[0] == said[1])
        #expect(try workspace.output(["inspect", "alone"], ranks: nil).contains("lstm.weight_ih_l1_reverse"))
        #expect(try train(workspace, fixture, "forward", ranks: nil).parametersSHA256 != alone.parametersSHA256)
      }
    }

    /// Both ways, in segments and passes, across a stop; what a checkpoint holds says which it was.
    @Test(arguments: [("mean", "true"), ("max", "false")])
    func whatIsReadOfAllTimestepsTrainsTheSameBitsEverywhere(pooling: String, direction: String) throws {
      let fixture = direction == "true" ? LabelledFixture.texts : .series
      try withData(fixture) { workspace in
        let settings = ["model.pooling=\(pooling)", "model.bidirectional=\(direction)", "model.dropout=0.2"]
          .flatMap { ["--set", $0] }
        let (run, stopped) = ("alone", "stopped")
        let alone = try train(workspace, fixture, run, settings, ranks: nil)
        for ranks in [2, 3, 4] {
          #expect(try train(workspace, fixture, "on\(ranks)", settings, ranks: ranks) == alone)
        }
        let recompute = ["--set", "training.recompute=\(direction == "true" ? "off" : "3")"]
        _ = try train(workspace, fixture, stopped, settings + recompute + ["--steps", "5"], ranks: 3)
        let passes = ["--set", "batch.accumulate=3"]
        #expect(try train(workspace, fixture, stopped, settings + passes, ranks: 2) == alone)
        let results = try [nil, 3].map { try workspace.output(["evaluate", stopped], ranks: $0) }
        #expect(results[0].contains("loss: \(try #require(alone.validationLoss)) nats a sequence\n"))
        #expect(results[0] == results[1])
        let said = try [nil, 2].map { try workspace.output(["predict", run] + fixture.unlabelled, ranks: $0) }
        #expect(said[0] == said[1])
        let last = ["--set", "model.pooling=last", "--run", stopped]
        try workspace.expectRefusal(
          ["train", "--config", "classifier.yaml"] + fixture.settings + settings + last, exitCode: 78,
          ["model.pooling differs"], ranks: [nil])
      }
    }

    @Test(arguments: LabelledFixture.allCases)
    func evaluationAndPredictionsAreTheSameOnAnyNumberOfRanks(fixture: LabelledFixture) throws {
      try withData(fixture) { workspace in
        let record = try train(workspace, fixture, "run", ranks: 2)
        let results = try [nil, 2, 3, 4].map { try workspace.output(["evaluate", "run"], ranks: $0) }
        for result in results { #expect(result == results[0]) }
        #expect(results[0].contains("loss: \(try #require(record.validationLoss)) nats a sequence\n"))
        let others = try [nil, 4].map { try workspace.output(["evaluate", "run", "--data", fixture.path], ranks: $0) }
        #expect(others[0] == others[1])
        let said = try [nil, 3].map { try workspace.output(["predict", "run"] + fixture.unlabelled, ranks: $0) }
        #expect(said[0] == said[1])
        #expect(try predictions(said[0]).count >= 3)
      }
    }

    /// Confusion matrix and predictions are two ways to the same counts; a trained model knows the classes.
    @Test(arguments: LabelledFixture.allCases)
    func whatIsLearnedIsMeasuredAndPredictedAlike(fixture: LabelledFixture) throws {
      try withData(fixture) { workspace in
        let output = try workspace.output(
          ["train", "--config", "classifier.yaml", "--run", "run", "--steps", "150"] + fixture.settings, ranks: 2)
        let evaluated = try workspace.output(["evaluate", "run"], ranks: nil)
        for line in evaluated.split(separator: "\n").dropFirst(2) { #expect(output.contains(line), "\(line)") }
        #expect(evaluated.contains("accuracy: 1.0000"), "\(evaluated)")
        let all = try workspace.output(["evaluate", "run", "--data", fixture.path], ranks: nil)
        #expect(all.contains("accuracy: 1.0000"), "\(all)")
        let said = try predictions(workspace.output(["predict", "run"] + fixture.unlabelled, ranks: nil))
        for prediction in said {
          #expect(prediction.probabilities.values.reduce(0, +) > 0.9999 && prediction.probability > 0.5)
          #expect(prediction.probabilities[prediction.class] == prediction.probability)
        }
        if fixture == .audio { #expect(said.map(\.class) == ["low", "high", "low"]) }
        if fixture == .texts { #expect(said.count == 14 && said.allSatisfy { $0.class == "up" }) }
      }
    }

    /// The samples are the same, so the bits are.
    @Test func clipsOfFLACTrainAsThoseOfWAVDo() throws {
      try withData(.audio) { workspace in
        let alone = try train(workspace, .audio, "wav", ranks: nil)
        try workspace.makeDirectory("flac-clips")
        for (name, period) in LabelledFixture.periods {
          for (index, samples) in LabelledFixture.samples.enumerated() {
            let wave = (0..<samples).map { LabelledFixture.isHigh($0, period) ? Float(8000) / 32768 : -8000 / 32768 }
            try workspace.put(try flac(wave), "flac-clips/\(name)_\(index).flac")
          }
        }
        let other = ["data.path=flac-clips", "data.files={class}_*.flac", "data.heldOut=*_0.flac|*_3.flac"]
        let settings = other.flatMap { ["--set", $0] }
        #expect(try train(workspace, .audio, "flac", settings, ranks: 4) == alone)
      }
    }

    @Test func aTextOfOneTimestepAndOneOfManyTrainTogether() throws {
      try Workspace.run { workspace in
        try workspace.put(String(repeating: "ab", count: 50_000), "many.txt")
        try workspace.put("b", "one.txt")
        let settings = [
          "train", "--steps", "2", "--set", "task=classification", "--set", "data.path=.", "--set",
          "data.files={class}.txt", "--set", "data.tokens=characters", "--set", "data.validation=0", "--set",
          "model.hidden=4", "--set", "training.recompute=auto",
        ]
        for ranks in [1, 2] { try workspace.output(settings + ["--run", "on\(ranks)"], ranks: ranks) }
        #expect(try workspace.metrics("on1").last == workspace.metrics("on2").last)
        #expect(try workspace.metrics("on1").last?.event == "finished")
      }
    }

    @Test func standardInputIsReadLikeAFile() throws {
      try withData(.texts) { workspace in
        _ = try train(workspace, .texts, "run", ranks: nil)
        let program = Launcher.builtExecutable("lstm-dist").path
        let file = try predictions(workspace.output(["predict", "run", "texts/down.txt"], ranks: nil))
        for launcher in ["", "mpirun --oversubscribe -np 3 "] {
          let piped = try Launcher.run(
            ["sh", "-c", "\(launcher)\"$0\" predict run < texts/down.txt", program], workingDirectory: workspace.url)
          #expect(piped.exitCode == 0, "\(piped)")
          let said = try predictions(piped.output)
          #expect(said.map(\.probabilities) == file.map(\.probabilities))
          #expect(said.first?.name == "standard input:1")
        }
        let nothing = try Launcher.run(
          ["sh", "-c", "\"$0\" predict run < /dev/null", program], workingDirectory: workspace.url)
        #expect(
          nothing.exitCode == 65 && nothing.errorLines.first?.contains("nothing to predict") == true, "\(nothing)")
      }
    }

    @Test func pretrainedVectorsAreWhatTheirWordsBeginWith() throws {
      try withData(.table) { workspace in
        let train = ["train", "--config", "classifier.yaml"] + LabelledFixture.table.settings
        let output = try workspace.output(train + ["--run", "with", "--steps", "1"], ranks: 2)
        #expect(output.contains("vectors: 2 of 7 tokens (28.6 %) begin as in vectors.txt"), "\(output)")
        let without = ["--run", "without", "--steps", "1", "--set", "model.vectors="]
        try workspace.output(train + without, ranks: 2)
        let rows = try ["with", "without"].map { run in
          let file = try TensorReader(workspace.get("\(checkpoint(run, step: 1))/model.safetensors"))
          return try #require(file.tensors["embedding.weight"]).values
        }
        // A first step of Adam moves a number by no more than the learning rate.
        let changed = (0..<7).filter { row in
          (0..<6).contains { abs(rows[0][6 * row + $0] - rows[1][6 * row + $0]) > 0.05 }
        }
        #expect(changed.count == 2)
        for row in changed {
          #expect(abs(abs(rows[0][6 * row]) - 1) <= 0.0201 && abs(rows[0][6 * row + 5] - 1) <= 0.0201)
        }
        for (settings, code, words) in [
          (["model.embedding=7"], 65, "model.embedding = 7 numbers, got 6"),
          (["data.tokens=characters"], 78, "model.vectors"), (["model.vectors=none.txt"], 74, "cannot be read"),
        ] as [([String], Int32, String)] {
          try workspace.expectRefusal(
            train + ["--run", "none"] + settings.flatMap { ["--set", $0] }, exitCode: code, [words], ranks: [nil, 3])
        }
      }
    }

    /// Of many classes no matrix is printed; what would tear a table, or be misread, stands in quotation marks.
    @Test func manyOrOddClassesAreShownInFewLines() throws {
      try Workspace.run { workspace in
        let train = ["train", "--steps", "1", "--set", "task=classification", "--set", "model.hidden=4"]
        func table(_ label: (Int) -> String) -> String {
          "text,label\n" + (0..<80).map { "hello \($0 % 3),\(label($0))\n" }.joined()
        }
        try workspace.put(table { "c\($0 % 40)" }, "many.csv")
        let many = try workspace.output(train + ["--run", "many", "--set", "data.path=many.csv"], ranks: nil)
        #expect(many.contains("the other 10 classes, which have no more sequences, and the confusion matrix: "))
        let shown = many.split(separator: "\n").count { $0.hasPrefix("c") && $0.dropFirst().first?.isNumber == true }
        #expect(!many.contains("is, was taken for") && shown == 30, "\(many)")
        try workspace.put(table { ["\"a\nb\"", "walk up", "pos ", "pos"][$0 % 4] }, "ODD.CSV")
        let odd = try workspace.output(train + ["--run", "odd", "--set", "data.path=ODD.CSV"], ranks: 2)
        for name in ["\n\"a\\nb\"  ", "\nwalk up  ", "\n\"pos \"  ", "\npos  "] {
          #expect(odd.contains(name), "\(odd)")
        }
      }
    }

    // MARK: What cannot be

    @Test func dataThatDoNotFitTheModelAreRefused() throws {
      try withData(.texts) { workspace in
        _ = try train(workspace, .texts, "run", ranks: nil)
        try workspace.expectRefusal(["sample", "run"], exitCode: 78, ["nothing can be drawn"], ranks: [nil, 2])
        try workspace.put("new\n", "texts/new.txt")
        try workspace.expectRefusal(
          ["evaluate", "run"], exitCode: 65, ["the data has changed"], hint: "--data", ranks: [nil])
        try workspace.expectRefusal(
          ["evaluate", "run", "--data", "texts"], exitCode: 65, ["unknown class", "\"new\""], ranks: [nil, 3])
        try workspace.expectRefusal(
          ["train", "--config", "classifier.yaml", "--run", "run", "--steps", "20"] + LabelledFixture.texts.settings,
          exitCode: 65, ["the data has changed"], ranks: [2])
        try workspace.expectRefusal(
          ["predict", "run", "missing.txt"], exitCode: 74, ["file to predict cannot be read"], ranks: [nil, 2])
        try workspace.train("text", ranks: nil)
        try workspace.expectRefusal(
          ["predict", "text", "corpus.txt"], exitCode: 78, ["says no class"], hint: "evaluate", ranks: [nil])
      }
    }

    @Test func impossibleDataAreRefusedBeforeARunIsMade() throws {
      try withData(.texts) { workspace in
        let train = ["train", "--config", "classifier.yaml", "--run", "none"]
        for (settings, code, words) in [
          ([], 78, "data.path"), (["data.path=texts", "batch.steps=2"], 65, "sequence is too long"),
          (["data.path=missing"], 74, "folder cannot be read"),
          (["data.path=texts", "data.files={class}.md"], 65, "no file fits"),
          (["data.path=texts", "data.files=*.txt"], 78, "says no class"),
          (["data.path=texts", "data.heldOut=x*"], 65, "nothing is held out"),
          (["data.path=texts", "data.folds=3", "data.fold=3"], 78, "data.fold"),
        ] as [([String], Int32, String)] {
          try workspace.expectRefusal(
            train + settings.flatMap { ["--set", $0] }, exitCode: code, [words], ranks: [nil, 3])
        }
      }
    }

    private struct Prediction: Decodable {
      let name: String
      let `class`: String
      let probability: Float
      let probabilities: [String: Float]
    }

    private func predictions(_ output: String) throws -> [Prediction] {
      try output.split(separator: "\n").map { try JSONDecoder().decode(Prediction.self, from: Data($0.utf8)) }
    }
  }
}
