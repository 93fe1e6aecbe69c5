import Foundation
import TestSupport
import Testing

extension Commands {
  /// Every rule of the update and every schedule: the same bits on any number of ranks, across a stop and a resume, and
  /// in a repetition.
  struct UpdateTests {
    /// Evaluations every 2 steps of 12; the rates are large enough for the loss to rise now and then.
    private static let settings: [[String]] = [
      ["optimizer.name=sgd", "optimizer.momentum=0.9", "optimizer.nesterov=true", "optimizer.weightDecay=0.01"],
      [
        "optimizer.name=sgd", "optimizer.clip=0.01", "optimizer.clipBy=element", "schedule.name=step",
        "schedule.every=3",
      ],
      ["optimizer.name=adamw", "schedule.name=cosine", "schedule.end=12", "schedule.warmUp=3"],
      ["optimizer.name=rmsprop", "optimizer.momentum=0.5", "schedule.name=exponential", "schedule.every=4"],
      ["optimizer.name=lamb", "optimizer.learningRate=0.1", "schedule.warmUp=5"],
      ["optimizer.name=adam", "optimizer.learningRate=1", "schedule.name=plateau", "schedule.patience=1"],
      [
        "optimizer.name=sgd", "optimizer.learningRate=20", "optimizer.average=non-monotonic",
        "optimizer.averagePatience=1",
      ],
      ["batch.jitter=4", "batch.steps=20"],
      ["optimizer.average=from-step", "optimizer.averageFrom=3", "data.tokens=words", "batch.sequences=5"],
    ]

    private static let often = ["--set", "training.evaluateEvery=2", "--set", "verify.every=5"]

    private func arguments(_ settings: [String]) -> [String] { settings.flatMap { ["--set", $0] } + Self.often }

    /// The learning rates of a run's steps.
    private func rates(_ workspace: Workspace, _ run: String) throws -> [Double] {
      struct Line: Decodable {
        let event: String
        let learningRate: Double?
      }
      return try workspace.metricsLines(run).map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        .filter { $0.event == "step" }.map { try #require($0.learningRate) }
    }

    /// Everything that the newest checkpoint of a run holds.
    private func state(_ workspace: Workspace, _ run: String, step: Int = 12) throws -> [[UInt8]] {
      try ["model", "optimizer", "state"].map { try workspace.get(checkpoint(run, step: step) + "/\($0).safetensors") }
    }

    @Test(arguments: settings)
    func bitsAreTheSameOnAnyNumberOfRanksAndAcrossAStop(_ settings: [String]) throws {
      try Workspace.run { workspace in
        let arguments = arguments(settings)
        let undisturbed = try workspace.train("undisturbed", arguments, ranks: nil)
        let state = try state(workspace, "undisturbed")
        for (ranks, sharing) in [(2, "on"), (3, "off"), (4, "on")] {
          let run = "run\(ranks)"
          let shared = ["--set", "distributed.sharedMemory=\(sharing)"]
          #expect(try workspace.train(run, arguments + shared, ranks: ranks) == undisturbed)
          #expect(try self.state(workspace, run) == state, "\(ranks) ranks")
        }
        try workspace.train("stopped", arguments + ["--steps", "7"], ranks: 3)
        #expect(try workspace.train("stopped", arguments, ranks: 2) == undisturbed)
        #expect(try self.state(workspace, "stopped") == state)
        let comparison = RunComparison(ignoredEvents: ["evaluated"])
        let difference = try comparison.difference(workspace.path("undisturbed"), workspace.path("stopped"))
        #expect(difference == nil)
        #expect(try workspace.output(["verify", "stopped", "--from", "0"], ranks: 3).contains("verified: "))
        // What is decided on the way has been.
        let file = try TensorReader(state[2])
        #expect((file.tensors["averaged"] != nil) == settings.contains { $0.hasPrefix("optimizer.average=") })
        let varies = settings.contains { $0.hasPrefix("schedule.") || $0.hasPrefix("batch.jitter") }
        #expect((Set(try rates(workspace, "undisturbed")).count > 1) == varies)
      }
    }

    @Test func learningRatesAreThoseOfTheSchedule() throws {
      try Workspace.run { workspace in
        func rates(_ settings: String...) throws -> [Double] {
          try workspace.train(
            "run", settings.flatMap { ["--set", $0] } + ["--fresh", "--set", "optimizer.learningRate=0.5"], ranks: nil)
          return try self.rates(workspace, "run")
        }
        #expect(try rates() == Array(repeating: 0.5, count: 12))
        #expect(
          try rates("schedule.name=step", "schedule.every=4", "schedule.factor=0.1", "schedule.warmUp=2").prefix(7)
            == [0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.05])
        let cosine = try rates("schedule.name=cosine")
        #expect(cosine[0] == 0.5 && abs(cosine[6] - 0.25) < 1e-9 && cosine[11] > 0 && cosine[11] < 0.01)
      }
    }

    /// A stop request leaves out the evaluation that is due, and the next start makes up for it: here one is due after
    /// every step.
    @Test func anEvaluationThatAStopLeftOutStillDecides() throws {
      try Workspace.run { workspace in
        let plateau = [
          "training.evaluateEvery=1", "schedule.name=plateau", "schedule.patience=1", "optimizer.learningRate=1",
        ].flatMap { ["--set", $0] }
        let outcome = try workspace.job("run", ranks: 2, plateau, doing: "kill -TERM $(rank 1); wait $job")
        #expect(outcome.exitCode == 75, "\(outcome)")
        let total = plateau + ["--steps", "\(try workspace.lastStep("run") + 3)"]
        let resumed = try workspace.train("run", total, ranks: 3)
        #expect(try workspace.train("undisturbed", total, ranks: nil) == resumed)
        #expect(try workspace.metrics("run") == workspace.metrics("undisturbed"))
      }
    }

    /// The model of checkpoints, evaluation and the result is the average, and not what training goes on with.
    @Test func theModelIsTheAverage() throws {
      try Workspace.run { workspace in
        let average = ["--set", "optimizer.average=from-step", "--set", "optimizer.averageFrom=6"]
        let plain = try workspace.train("plain", ["--set", "training.checkpointEvery=1"], ranks: 2)
        let averaged = try workspace.train("averaged", average, ranks: 2)
        #expect(averaged.trainLoss == plain.trainLoss && averaged.validationLoss != plain.validationLoss)
        let model = try parameters(workspace, "averaged", step: 12, "model", "output.bias")
        let iterates = try (6...12).map { try parameters(workspace, "plain", step: $0, "model", "output.bias") }
        for i in model.indices {
          let mean = iterates.reduce(0) { $0 + $1[i] } / 7
          #expect(abs(model[i] - mean) < 1e-6)
        }
        #expect(
          try parameters(workspace, "averaged", step: 12, "optimizer", "iterate.output.bias") == iterates.last)
        let output = try workspace.output(["evaluate", "averaged"], ranks: 3)
        #expect(output.contains("loss: \(try #require(averaged.validationLoss)) nats"), "\(output)")
      }
    }

    private func parameters(
      _ workspace: Workspace, _ run: String, step: Int, _ file: String, _ name: String
    ) throws -> [Double] {
      let file = try TensorReader(try workspace.get(checkpoint(run, step: step) + "/\(file).safetensors"))
      return try #require(file.tensors[name]).values
    }

    @Test func aRunEndsWhereTheLossNoLongerFalls() throws {
      try Workspace.run { workspace in
        let patient = [
          "training.patience=2", "training.evaluateEvery=1", "optimizer.learningRate=1", "training.steps=200",
          "training.checkpointEvery=1",
        ].flatMap { ["--set", $0] }
        let whole = try workspace.train("whole", patient, ranks: nil)
        let losses = try workspace.metrics("whole").filter { $0.event == "evaluated" }.compactMap(\.validationLoss)
        let best = try #require(losses.firstIndex(of: losses.min()!))
        let output = try workspace.output(["evaluate", "whole", "--best"], ranks: 2)
        #expect(output.contains("step-\(String(format: "%08d", best + 1))\n"), "\(output)")
        #expect(output.contains("loss: \(losses[best]) nats"), "\(output)")
        let one = "whole/checkpoints/step-\(String(format: "%08d", best + 1))"
        try workspace.expectRefusal(
          ["evaluate", one, "--best"], exitCode: 65, ["the directory of a run with --best"], ranks: [nil])
        #expect(whole.step == best + 3 && losses.count == whole.step && whole.step < 200, "\(losses)")
        let first = try workspace.output(
          ["train", "--config", "small.yaml", "--run", "stopped"] + patient + ["--steps", "\(best + 2)"], ranks: 3)
        #expect(!first.contains("has found no new minimum"))
        let second = try workspace.output(["train", "--config", "small.yaml", "--run", "stopped"] + patient, ranks: 2)
        #expect(second.contains("the run ends with step \(whole.step): the validation loss has found no new minimum"))
        #expect(try workspace.metrics("stopped").last == whole)
        let before = try workspace.contents("stopped")
        let again = try workspace.output(["train", "--config", "small.yaml", "--run", "stopped"] + patient, ranks: 2)
        #expect(again.contains("the run is complete at step \(whole.step)"), "\(again)")
        #expect(try workspace.contents("stopped") == before)
        // With more patience it goes on.
        let longer = patient + ["--set", "training.patience=3"]
        #expect(try workspace.train("stopped", longer, ranks: 2).step > whole.step)
      }
    }

    /// Another end would be another cosine, and behind its end nothing is learned.
    @Test func aLongerRunMustSayWhereItsCosineBegins() throws {
      try Workspace.run { workspace in
        let cosine = ["--set", "schedule.name=cosine"]
        try workspace.train("run", cosine, ranks: nil)
        let longer = ["train", "--run", "run", "--steps", "14", "--set"]
        let hint = "--set schedule.begin=12 --set schedule.end="
        try workspace.expectRefusal(
          longer + ["schedule.end=14"], exitCode: 78,
          ["schedule.end differs from the run that would be resumed — expected 12, got 14"], hint: hint)
        try workspace.expectRefusal(
          longer + ["schedule.begin=11", "--set", "schedule.end=14"], exitCode: 78,
          ["schedule.begin is not where the run goes on — expected 12, got 11"], hint: hint)
        try workspace.expectRefusal(
          ["train", "--config", "small.yaml", "--run", "new", "--set", "schedule.begin=3"] + cosine, exitCode: 78,
          ["schedule.begin is not where the run goes on — expected 0, got 3"])
        let outcome = try workspace.program(["train", "--run", "run", "--steps", "14"], ranks: 2)
        #expect(outcome.exitCode == 0 && outcome.errors.contains("warning: the learning rate is 0 from step 12 on"))
        #expect(outcome.errors.contains(hint + "14"), "\(outcome)")
        #expect(try rates(workspace, "run").suffix(2) == [0, 0])
      }
    }

    /// What has been trained stays as it was: the same bits across a stop, and a repetition of what one cosine made.
    @Test(arguments: [nil, 3])
    func aRunGoesOnAlongANewCosine(ranks: Int?) throws {
      try Workspace.run { workspace in
        for run in ["whole", "parts"] {
          try workspace.train(run, ["--set", "schedule.name=cosine", "--set", "schedule.warmUp=2"], ranks: nil)
        }
        let first = try rates(workspace, "whole")
        let again = ["--set", "schedule.begin=12", "--set", "schedule.end=24", "--set", "training.checkpointEvery=4"]
        try workspace.output(["train", "--run", "whole", "--steps", "24"] + again, ranks: ranks)
        #expect(try rates(workspace, "whole") == first + first)
        try workspace.output(["train", "--run", "parts", "--steps", "17"] + again, ranks: 2)
        try workspace.output(["train", "--run", "parts", "--steps", "24"], ranks: ranks)
        #expect(try workspace.metrics("parts").last == workspace.metrics("whole").last)
        for from in ["12", "16"] {
          let output = try workspace.output(["verify", "whole", "--from", from], ranks: ranks)
          #expect(output.contains("verified: "), "\(output)")
        }
        try workspace.expectRefusal(
          ["verify", "whole", "--from", "0"], exitCode: 78, ["had another schedule", "schedule.begin, 12, got"],
          hint: "--from 12")
      }
    }

    /// What a checkpoint says of evaluations and averages is checked before it is used.
    @Test func impossibleDecisionsAreRefused() throws {
      try Workspace.run { workspace in
        let settings = ["--set", "training.patience=9", "--set", "training.evaluateEvery=4"]
        try workspace.train("run", settings, ranks: nil)
        let name = checkpoint("run", step: 12)
        var bytes = try workspace.get(name + "/state.safetensors")
        let steps = try #require(try TensorReader(bytes).tensors["evaluations.step"])
        bytes[steps.bytes.startIndex] = 200
        try workspace.put(bytes, "state.safetensors", ofCheckpoint: name)
        try workspace.expectRefusal(
          ["train", "--config", "small.yaml", "--run", "run", "--steps", "14"] + settings, exitCode: 65,
          ["evaluations of a run are impossible", "ascending steps"], announces: true)
      }
    }
  }
}
