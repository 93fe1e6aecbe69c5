import Foundation
import TestSupport
import Testing

extension Commands {
  /// A gradient that is accumulated in several passes is that of one pass, and takes less memory.
  struct AccumulationTests {
    private func passes(_ count: Int) -> [String] { ["--set", "batch.accumulate=\(count)"] }

    /// With dropout, states carried from window to window, an evaluation in between, and more passes than some ranks
    /// have shards.
    @Test(arguments: [nil, 2, 3, 4]) func everyNumberOfPassesTrainsTheSameBits(ranks: Int?) throws {
      try Workspace.run { workspace in
        let evaluating = ["--set", "training.evaluateEvery=5"]
        let one = try workspace.train("one", evaluating, ranks: nil)
        for count in [1, 2, 4] {
          #expect(try workspace.train("\(count)", evaluating + passes(count), ranks: ranks) == one, "\(count) passes")
          #expect(try workspace.metrics("\(count)") == workspace.metrics("one"), "\(count) passes")
        }
      }
    }

    /// Rows of the embedding that one pass has and another has not, whether they are read where they are or sent.
    @Test(arguments: ["on", "off"]) func rowsOfRareWordsAreAddedOverThePasses(sharedMemory: String) throws {
      try Workspace.run { workspace in
        let words = ["--set", "data.tokens=words", "--set", "batch.steps=4", "--steps", "8"]
        let one = try workspace.train("one", words, ranks: nil)
        let shared = ["--set", "distributed.sharedMemory=\(sharedMemory)"]
        for (ranks, count) in [(2, 3), (2, 4), (3, 2)] {
          let run = try workspace.train("\(ranks)-\(count)", words + passes(count) + shared, ranks: ranks)
          #expect(run == one, "\(count) passes on \(ranks) ranks")
        }
      }
    }

    @Test func theNumberOfPassesMayChangeOnResume() throws {
      try Workspace.run { workspace in
        let undisturbed = try workspace.train("undisturbed", ranks: nil)
        try workspace.train("stopped", passes(4) + ["--steps", "5"], ranks: 2)
        #expect(try workspace.train("stopped", passes(2), ranks: 3) == undisturbed)
        #expect(try workspace.text("stopped/config.yaml").contains("accumulate: 2\n"))
        let whole = try workspace.output(["evaluate", "undisturbed"], ranks: nil)
        let parts = try workspace.output(["evaluate", "stopped"], ranks: 2)
        let losses = [whole, parts].map { $0.split(separator: "\n").filter { $0.hasPrefix("loss: ") } }
        #expect(losses[0].count == 1 && losses[0] == losses[1])
      }
    }

    /// Sequences × timesteps are many and parameters few, so that memory is nearly all activations: what the program
    /// has used must shrink as it says.
    @Test func theMemoryOfActivationsIsThatOfOnePass() throws {
      let peaks = try [1, 8].map { count in
        var figures: (peak: Double, activations: Double) = (0, 0)
        try Workspace.run { workspace in
          let sizes = ["--hidden", "32", "--layers", "2", "--sequences", "64", "--steps", "256", "--rounds", "1"]
          let text = try workspace.output(
            ["bench", "step", "--json", "--accumulate", "\(count)"] + sizes, ranks: nil)
          let record = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
          let estimate = try #require(record["estimatedMemory"] as? [String: Any])
          figures.peak = try #require(record["peakMemoryBytes"] as? Double)
          figures.activations = try #require(estimate["activationsBytes"] as? Double)
        }
        return figures
      }
      let (expected, measured) = (peaks[0].activations - peaks[1].activations, peaks[0].peak - peaks[1].peak)
      #expect(peaks[1].activations < peaks[0].activations / 5)
      #expect(expected > 30e6 && abs(measured - expected) < 0.15 * expected, "\(peaks)")
    }
  }
}
