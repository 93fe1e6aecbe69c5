import DataParallel
import Foundation
import TestSupport
import Testing

extension Commands {
  /// What a finished run suggests can be pasted into a shell, and does what it says.
  struct NextCommandTests {
    /// A training of a task that takes no time.
    struct Training: Sendable, CustomTestStringConvertible {
      let testDescription: String
      let settings: [String]
      /// The run's directory, with characters that mean something to a shell.
      var run = "it's a \"run\" of $HOME"
    }

    private static let trainings = [
      Training(testDescription: "reber", settings: ["task=reber", "data.trainingStrings=40"], run: "-run"),
      Training(testDescription: "a text", settings: ["data.path=a 'text'.txt", "batch.steps=16"]),
      Training(
        testDescription: "nothing held out", settings: ["data.path=-text", "data.validation=0", "batch.steps=16"]),
      Training(testDescription: "tagging", settings: ["task=tagging", "data.path=the words.txt"]),
      Training(
        testDescription: "forecasting", settings: ["task=forecasting", "data.path=a table.csv", "batch.steps=5"]),
      Training(testDescription: "an array", settings: ["task=forecasting", "data.path=t.npy", "batch.steps=5"]),
      Training(testDescription: "piano rolls", settings: ["task=piano-roll", "data.path=rolls.json"]),
      Training(testDescription: "temporal order", settings: ["task=temporal-order", "data.heldOutStrings=9"]),
      Training(
        testDescription: "adding", settings: ["task=adding", "data.heldOutStrings=9", "data.shortest=22"],
        run: "two\nlines"),
      Training(testDescription: "multiplication", settings: ["task=multiplication", "data.heldOutStrings=0"]),
      Training(
        testDescription: "copy", settings: ["task=copy", "data.symbols=9", "data.heldOutStrings=9"], run: "plain"),
    ]

    private static func write(_ workspace: Workspace) throws {
      for name in ["a 'text'.txt", "-text"] { try workspace.put(Workspace.corpus(characters: 3000), name) }
      try workspace.put(String(repeating: "a one\nb two\n\nb two\na one\na one\n\n", count: 20), "the words.txt")
      let rows = (0..<90).map { "\($0 % 6),\($0 % 4)\n" }
      try workspace.put("b,a\n" + rows.joined(), "a table.csv")
      let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (90, 1), }\n"
      try workspace.put(
        [0x93] + Array("NUMPY\u{1}\0".utf8) + [UInt8(header.utf8.count), 0] + Array(header.utf8)
          + (0..<90).map { UInt8($0 % 7) }, "t.npy")
      let pieces = "[" + Array(repeating: "[[50,60],[52],[],[53]]", count: 5).joined(separator: ",") + "]"
      try workspace.put("{\"train\":\(pieces),\"valid\":\(pieces),\"test\":\(pieces)}", "rolls.json")
    }

    /// The commands that stand below "next:".
    private func next(_ output: String) -> [String] {
      let lines = output.replacing("\r", with: "").split(separator: "\n", omittingEmptySubsequences: false)
      return lines.drop { $0 != "next:" }.dropFirst().filter { !$0.isEmpty }.map { String($0.dropFirst(2)) }
    }

    private func paste(_ line: String, in workspace: Workspace) throws -> Outcome {
      let path = Launcher.productsDirectory.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
      return try Launcher.run(
        ["bash", "-c", line], environment: ["PATH": path], workingDirectory: workspace.url, timeoutSeconds: 120)
    }

    /// Every line runs; the one that trains on does so, once more from there, and any model but one of a task without
    /// held-out data is evaluated.
    private func expectToWork(_ output: String, _ run: String, in workspace: Workspace) throws {
      let commands = next(output)
      #expect(commands.count >= 2 && commands.last?.contains("train --run ") == true, "\(output)")
      let before = try #require(try workspace.metrics(run).last)
      for command in commands {
        let outcome = try paste(command, in: workspace)
        #expect(
          outcome.exitCode == 0 && outcome.errorLines.isEmpty && !outcome.output.isEmpty, "\(command): \(outcome)")
        // The last one suggests what goes on from there.
        if command == commands.last { #expect(next(outcome.output).count == commands.count, "\(outcome)") }
      }
      let after = try #require(try workspace.metrics(run).last)
      #expect(after.event == "finished" && after.step > before.step)
      #expect(after.parametersSHA256 != before.parametersSHA256)
    }

    @Test(arguments: trainings)
    func everyLineOfEveryTaskCanBePasted(training: Training) throws {
      try Workspace.run { workspace in
        try Self.write(workspace)
        let settings = ["batch.sequences=4", "model.hidden=6"] + training.settings
        let output = try workspace.output(
          ["train", "--run=\(training.run)", "--steps", "3"] + settings.flatMap { ["--set", $0] }, ranks: 3)
        #expect(next(output).contains { $0.contains("evaluate") } != training.settings.contains { $0.hasSuffix("=0") })
        try expectToWork(output, training.run, in: workspace)
      }
    }

    @Test(arguments: LabelledFixture.allCases)
    func everyLineOfAClassifierCanBePasted(fixture: LabelledFixture) throws {
      try Workspace.run { workspace in
        try fixture.write(workspace)
        let train = ["train", "--config", "classifier.yaml", "--run", "a run"] + fixture.settings
        let output = try workspace.output(train + ["--steps", "3"], ranks: nil)
        // A table is read as a table: a prediction for each of its rows, and none for the header.
        if fixture == .table {
          let predict = try #require(next(output).first { $0.contains("predict") })
          #expect(try paste(predict, in: workspace).output.split(separator: "\n").count == 20)
        }
        try expectToWork(output, "a run", in: workspace)
      }
    }

    private func rates(_ workspace: Workspace, after step: Int) throws -> [Double] {
      struct Rate: Decodable {
        let step: Int
        let learningRate: Double?
      }
      return try workspace.metricsLines("run").map { try JSONDecoder().decode(Rate.self, from: Data($0.utf8)) }
        .filter { $0.step > step }.compactMap(\.learningRate)
    }

    @Test(arguments: [nil, 3])
    func aCosineThatHasEndedIsFollowedByANewOne(ranks: Int?) throws {
      try Workspace.run { workspace in
        let cosine = ["schedule.name=cosine", "schedule.warmUp=2"].flatMap { ["--set", $0] }
        var output = try workspace.output(
          ["train", "--config", "small.yaml", "--run", "run"] + cosine, ranks: ranks)
        for step in [12, 24] {
          let before = try #require(try workspace.metrics("run").last).parametersSHA256
          let outcome = try paste(try #require(next(output).last), in: workspace)
          #expect(outcome.exitCode == 0 && outcome.errors.isEmpty, "\(outcome)")
          let rates = try rates(workspace, after: step)
          #expect(rates.count == step && rates.allSatisfy { $0 > 0 }, "\(rates)")
          #expect(try workspace.metrics("run").last?.parametersSHA256 != before)
          output = outcome.output
        }
      }
    }

    /// Its end is where the warm-up leaves room for it.
    @Test func aCosineThatHasNotEndedGoesOn() throws {
      try Workspace.run { workspace in
        let cosine = ["schedule.name=cosine", "schedule.warmUp=200"].flatMap { ["--set", $0] }
        let output = try workspace.output(
          ["train", "--config", "small.yaml", "--run", "run", "--steps", "2"] + cosine, ranks: nil)
        #expect(next(output).last == "lstm-dist train --run run --steps 4")
        #expect(try paste(try #require(next(output).last), in: workspace).exitCode == 0)
        let rates = try rates(workspace, after: 0)
        #expect(rates.count == 4 && zip(rates, rates.dropFirst()).allSatisfy { $0 < $1 })
      }
    }

    @Test(arguments: [nil, 3])
    func whereEvaluationsEndedTheRunMorePatienceGoesOn(ranks: Int?) throws {
      try Workspace.run { workspace in
        let patient = [
          "training.patience=2", "training.evaluateEvery=1", "optimizer.learningRate=1", "training.steps=200",
        ].flatMap { ["--set", $0] }
        let output = try workspace.output(
          ["train", "--config", "small.yaml", "--run", "run"] + patient, ranks: ranks)
        let before = try #require(try workspace.metrics("run").last)
        #expect(before.step < 200)
        let command = try #require(next(output).last)
        #expect(command.hasSuffix("lstm-dist train --run run --set training.patience=4"), "\(command)")
        #expect(try paste(command, in: workspace).exitCode == 0)
        let after = try #require(try workspace.metrics("run").last)
        #expect(after.step > before.step && after.parametersSHA256 != before.parametersSHA256)
      }
    }

    // MARK: The best

    /// Evaluations and checkpoints fall together by default, and the best stays beside the last three.
    @Test func theBestIsKeptByDefaultOrMissed() throws {
      try Workspace.run { workspace in
        let settings = [
          "data.trainingStrings=40", "data.heldOutStrings=8", "model.hidden=4", "optimizer.learningRate=3",
          "training.evaluateEvery=2", "training.steps=40",
        ].flatMap { ["--set", $0] }
        try workspace.output(["train", "--run", "run"] + settings, ranks: 2)
        let evaluated = try workspace.metrics("run").filter { $0.event == "evaluated" }
        let best = try #require(evaluated.min { $0.validationLoss! < $1.validationLoss! })
        let kept = try FileManager.default.contentsOfDirectory(atPath: workspace.path("run/checkpoints"))
        #expect(Set(kept.compactMap { Int($0.dropFirst(5)) }) == [best.step, 36, 38, 40])
        try #require(best.step < 36)
        for ranks in [nil, 3] {
          let outcome = try workspace.program(["evaluate", "run", "--best"], ranks: ranks)
          #expect(outcome.exitCode == 0 && outcome.errors.isEmpty, "\(outcome)")
          #expect(outcome.output.contains("checkpoint: \(checkpoint("run", step: best.step))\n"), "\(outcome)")
        }
        try workspace.remove(checkpoint("run", step: best.step))
        for ranks in [nil, 3] {
          let outcome = try workspace.program(["evaluate", "run", "--best"], ranks: ranks)
          #expect(outcome.exitCode == 0, "\(outcome)")
          #expect(
            outcome.errors.components(
              separatedBy: "warning: no checkpoint of the best evaluation was kept — expected step \(best.step), "
            ).count == 2, "\(outcome)")
          #expect(outcome.output.contains("checkpoint: run/checkpoints/step-000000"), "\(outcome)")
        }
      }
    }

    // MARK: The loss

    @Test(arguments: [nil, 3])
    func aRunThatEndsFarAboveItsStartSaysSo(ranks: Int?) throws {
      try Workspace.run { workspace in
        func warnings(_ outcome: Outcome) -> [Substring] {
          outcome.errors.split(separator: "\n").filter { $0.contains("the run ends far above its start") }
        }
        let small = ["--config", "small.yaml", "--steps", "30"]
        let wild = try workspace.program(
          ["train", "--run", "wild", "--set", "optimizer.learningRate=30"] + small, ranks: ranks)
        #expect(wild.exitCode == 0 && warnings(wild).count == 1, "\(wild)")
        #expect(wild.errors.contains("hint: lower optimizer.learningRate, here 30.0, or optimizer.clip"), "\(wild)")
        for tame in [["--run", "tame"] + small, ["--steps", "300"]] {
          let outcome = try workspace.program(["train"] + tame, ranks: ranks)
          #expect(outcome.exitCode == 0 && warnings(outcome).isEmpty, "\(outcome)")
        }
      }
    }
  }
}
