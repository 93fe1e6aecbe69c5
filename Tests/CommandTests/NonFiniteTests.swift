import Foundation
import TestSupport
import Testing

extension Commands {
  /// Loss or gradient become infinite or NaN: what each policy makes of it, with the same bits on any number of ranks.
  struct NonFiniteTests {
    /// Adam without a memory of squares and almost no epsilon: a number whose gradient vanishes for once takes a step
    /// of the size of its momentum over epsilon. Three layers turn that into NaN at step 17.
    private static let diverging = [
      "--steps", "30", "--set", "optimizer.epsilon=1e-30", "--set", "optimizer.learningRate=0.01", "--set",
      "optimizer.beta2=0", "--set", "model.layers=3", "--set", "training.checkpointEvery=10", "--set",
      "training.evaluateEvery=0", "--set", "verify.every=5", "--set", "checkpoint.keepLast=0",
    ]
    private static let rollback = [
      "--set", "nonFinite.policy=rollback", "--set", "nonFinite.learningRateFactor=1e-6",
    ]

    private func train(
      _ workspace: Workspace, _ run: String, _ arguments: [String] = [], ranks: Int?
    ) throws -> Outcome {
      try workspace.program(["train", "--run", run] + Self.diverging + arguments, ranks: ranks)
    }

    private func lines(_ outcome: Outcome, _ word: String) -> [String] {
      outcome.errors.split(separator: "\n").map(String.init).filter { $0.contains(word) }
    }

    @Test func stopEndsAllRanksInTheSameStep() throws {
      try Workspace.run { workspace in
        for ranks in [nil, 2, 3, 4] {
          let run = "run\(ranks ?? 1)"
          let outcome = try train(workspace, run, ranks: ranks)
          #expect(outcome.exitCode == 76, "\(outcome)")
          #expect(
            outcome.errorLines == ["error: loss or gradient is infinite or NaN at step 17 — expected finite numbers"])
          #expect(try workspace.metrics(run).last?.step == 17)
          let files = try workspace.contents("\(run)/checkpoints").keys.filter { !$0.contains("/") }
          #expect(files == ["step-00000010"])
        }
      }
    }

    /// The place is the same for any number of ranks, then and in the repetition.
    @Test func theFirstBadNumberIsNamedAndReplayed() throws {
      try Workspace.run { workspace in
        let finding = "step 17: NaN in dzU (B4) of layer 2, unit 1, timestep 7, sequence 4, shard 1"
        for ranks in [nil, 2, 4] {
          let run = "run\(ranks ?? 1)"
          let dump = "\(run)/dumps/step-00000017"
          let outcome = try train(workspace, run, ranks: ranks)
          #expect(outcome.output.contains(finding + ", on rank 0 of \(ranks ?? 1)\n"), "\(outcome)")
          #expect(outcome.output.contains("dump \(dump), which lstm-dist replay repeats\n"), "\(outcome)")
          let records = try workspace.metricsLines(run)
          #expect(records.last?.contains(#""event":"nonFinite","step":17,"quantity":"dUpdateGate""#) == true)
        }
        let dump = "run4/dumps/step-00000017"
        for ranks in [nil, 3] {
          let output = try workspace.output(["replay", dump], ranks: ranks)
          #expect(output.components(separatedBy: finding).count == 3, "\(output)")
        }
        let many = try workspace.program(["replay", dump], ranks: 9)
        #expect(many.exitCode == 78 && many.errors.contains("expected at most 8 ranks, got 9"), "\(many)")
        try workspace.damage(dump + "/model.safetensors")
        try workspace.expectRefusal(["replay", dump], exitCode: 65, ["SHA-256", dump + "/model.safetensors"])
        try workspace.expectRefusal(["replay", "run4/nothing"], exitCode: 74, ["run4/nothing"])
        try workspace.remove("run4/dumps")
        let without = try train(workspace, "run4", ["--set", "nonFinite.dumps=0"], ranks: 2)
        #expect(without.exitCode == 76 && without.output.contains(finding), "\(without)")
        #expect(!FileManager.default.fileExists(atPath: workspace.path("run4/dumps")))
      }
    }

    @Test func skipLeavesParametersAsTheyAreAndGivesUpAfterSoManyInARow() throws {
      try Workspace.run { workspace in
        let skip = [
          "--set", "nonFinite.policy=skip", "--set", "nonFinite.skips=4", "--set", "training.checkpointEvery=2",
        ]
        for ranks in [nil, 3] {
          let run = "run\(ranks ?? 1)"
          let outcome = try train(workspace, run, skip, ranks: ranks)
          #expect(outcome.exitCode == 76 && outcome.errorLines.count == 1, "\(outcome)")
          #expect(outcome.errors.contains("is infinite or NaN at step 21 and the 4 before it"), "\(outcome)")
          let warnings = lines(outcome, "is skipped")
          #expect(warnings.count == 4 && warnings[3].contains("step 20 is skipped"), "\(outcome)")
          #expect(try workspace.metrics(run).filter { $0.event == "skipped" }.map(\.step) == [17, 18, 19, 20])
        }
        let models = try [16, 18, 20].flatMap { step in
          try ["run1", "run3"].map { try workspace.get(checkpoint($0, step: step) + "/model.safetensors") }
        }
        #expect(Set(models).count == 1)
        // The checkpoint of step 20 knows that four steps in a row were skipped.
        let resumed = try train(workspace, "run1", skip, ranks: 2)
        #expect(resumed.exitCode == 76 && lines(resumed, "is skipped").isEmpty, "\(resumed)")
        #expect(resumed.errors.contains("at step 21 and the 4 before it"), "\(resumed)")
        let verified = try workspace.output(["verify", "run3", "--from", "10"], ranks: 2)
        #expect(verified.contains("step 17 was skipped") && verified.contains("verified: "), "\(verified)")
      }
    }

    @Test func rollbackTrainsOnWithALowerLearningRate() throws {
      try Workspace.run { workspace in
        var finished: [Record] = []
        for ranks in [nil, 2, 3, 4] {
          let run = "run\(ranks ?? 1)"
          let outcome = try train(workspace, run, Self.rollback, ranks: ranks)
          #expect(outcome.exitCode == 0, "\(outcome)")
          #expect(
            lines(outcome, "is undone") == [
              "warning: step 17 is undone: back to the newest checkpoint with a lower learning rate (1 of at most 3 times)"
            ], "\(outcome)")
          #expect(outcome.output.contains("back after step 10, the learning rate multiplied by 1e-06"), "\(outcome)")
          finished.append(try #require(try workspace.metrics(run).last))
          let steps = try workspace.metrics(run).filter { $0.event == "step" }.map(\.step)
          #expect(steps == Array(1...30))
        }
        #expect(finished[0].event == "finished" && Set(finished.map(\.parametersSHA256)).count == 1)
        #expect(Set(finished.map(\.trainLoss)).count == 1)
        let verified = try workspace.output(["verify", "run3", "--from", "0"], ranks: 2)
        #expect(verified.contains("after step 10 the learning rate is multiplied by 1e-06"), "\(verified)")
        #expect(verified.contains("verified: "), "\(verified)")
        _ = try workspace.output(["verify", "run2", "--from", "10"], ranks: nil)
      }
    }

    /// Stopped before it, after it, and without a checkpoint in between.
    @Test func aRunThatIsStoppedAndResumedGoesTheSameWay() throws {
      try Workspace.run { workspace in
        let undisturbed = try train(workspace, "whole", Self.rollback, ranks: 2)
        #expect(undisturbed.exitCode == 0, "\(undisturbed)")
        let whole = try #require(try workspace.metrics("whole").last)
        for (ranks, steps) in [(2, 12), (nil, 20), (3, 23), (2, 30)] {
          let outcome = try train(workspace, "parts", Self.rollback + ["--steps", "\(steps)"], ranks: ranks)
          #expect(outcome.exitCode == 0, "\(outcome)")
        }
        let parts = try #require(try workspace.metrics("parts").last)
        #expect(parts.parametersSHA256 != nil && parts.step == 30)
        // The rollback went to step 12, not 10: another training, but the same one when it is stopped there too.
        let again = try train(workspace, "again", Self.rollback + ["--steps", "12"], ranks: nil)
        #expect(again.exitCode == 0)
        #expect(try train(workspace, "again", Self.rollback, ranks: 4).exitCode == 0)
        #expect(try workspace.metrics("again").last?.parametersSHA256 == parts.parametersSHA256)
        // After the rollback to step 10 and before the next checkpoint.
        for step in [20, 30] { try workspace.remove(checkpoint("whole", step: step)) }
        #expect(try train(workspace, "whole", Self.rollback, ranks: 3).exitCode == 0)
        #expect(try workspace.metrics("whole").last == whole)
        let inspected = try workspace.text("whole/metrics.jsonl")
        #expect(inspected.components(separatedBy: "rolledBack").count == 2)
      }
    }

    @Test func rollbackGivesUpAfterSoMany() throws {
      try Workspace.run { workspace in
        let arguments = ["--set", "nonFinite.policy=rollback", "--set", "nonFinite.learningRateFactor=1"]
        for ranks in [nil, 2] {
          let outcome = try train(
            workspace, "run", arguments + ["--set", "nonFinite.rollbacks=2"], ranks: ranks)
          #expect(outcome.exitCode == 76 && outcome.errorLines.count == 1, "\(outcome)")
          #expect(outcome.errors.contains("is infinite or NaN at step 17, also after 2 rollbacks"), "\(outcome)")
          // The second job knows of the rollbacks of the first.
          #expect(lines(outcome, "is undone").count == (ranks == nil ? 2 : 0), "\(outcome)")
        }
      }
    }
  }
}
