import Foundation
import TestSupport
import Testing

extension Commands {
  /// Windows of which a segment at a time is in memory train as whole ones do, in less memory.
  struct RecomputeTests {
    private func recompute(_ value: String) -> [String] { ["--set", "training.recompute=\(value)"] }

    /// With dropout, two layers, states carried from window to window, and an evaluation in between.
    @Test(arguments: [nil, 2, 3, 4]) func segmentsTrainTheSameBits(ranks: Int?) throws {
      try Workspace.run { workspace in
        let settings = ["--set", "training.evaluateEvery=5", "--set", "model.layers=2"]
        let whole = try workspace.train("whole", settings, ranks: nil)
        for (segment, passes) in [("auto", 1), ("1", 2), ("3", 4), ("131072", 1)] {
          let more = recompute(segment) + ["--set", "batch.accumulate=\(passes)"]
          #expect(try workspace.train(segment, settings + more, ranks: ranks) == whole, "segments \(segment)")
          #expect(try workspace.metrics(segment) == workspace.metrics("whole"), "segments \(segment)")
        }
      }
    }

    @Test func segmentsMayChangeOnResumeAndAnEvaluationKnowsThem() throws {
      try Workspace.run { workspace in
        let undisturbed = try workspace.train("undisturbed", ranks: nil)
        try workspace.train("stopped", recompute("2") + ["--steps", "5"], ranks: 2)
        #expect(try workspace.train("stopped", recompute("auto"), ranks: 3) == undisturbed)
        #expect(try workspace.text("stopped/config.yaml").contains("recompute: auto\n"))
        let whole = try workspace.output(["evaluate", "undisturbed"], ranks: nil)
        let segments = try workspace.output(["evaluate", "stopped"], ranks: 2)
        let losses = [whole, segments].map { $0.split(separator: "\n").filter { $0.hasPrefix("loss: ") } }
        #expect(losses[0].count == 1 && losses[0] == losses[1])
      }
    }

    /// Sequences of 3000 timesteps end in the last segments; the memory that the program has used shrinks as it says.
    @Test func longSequencesTakeLittleMemory() throws {
      try Workspace.run { workspace in
        let settings = [
          "train", "--steps", "2", "--set", "task=adding", "--set", "data.shortest=3000", "--set", "model.hidden=64",
          "--set", "data.heldOutStrings=0", "--set", "batch.sequences=8",
        ]
        let texts = try ["off", "auto"].map {
          try workspace.output(settings + ["--run", $0] + recompute($0), ranks: 2)
        }
        #expect(try workspace.metrics("off").last == workspace.metrics("auto").last)
        let estimates = texts.map { text -> Double? in
          text.firstMatch(of: /memory: about ([0-9.]+) MB/).flatMap { Double($0.1) }
        }
        let (whole, cut) = (try #require(estimates[0]), try #require(estimates[1]))
        #expect(whole > 20 && cut < whole / 5)
      }
    }

    @Test(arguments: ["0", "131073", "on", "-1", "1.5"]) func otherValuesAreRefused(value: String) throws {
      try Workspace.run { workspace in
        let outcome = try workspace.program(["train"] + recompute(value), ranks: nil)
        #expect(outcome.exitCode == 78)
        #expect(outcome.errorLines.first?.contains("training.recompute — expected off, auto, or an integer") == true)
      }
    }
  }
}
