import Foundation
import Testing

extension Commands {
  /// The benchmarks on small sizes: what they measure is the machine's business, what they run is not.
  @Suite struct BenchTests {
    private static let sizes = "--layers 2 --hidden 5 --sequences 4 --steps 3 --rounds 2".split(separator: " ").map(
      String.init)

    @Test(arguments: [[], ["--inputs", "3"], ["--classes", "2"], ["--inputs", "3", "--classes", "2"]] as [[String]])
    func everyKindOfModelRunsOnOneAndThreeRanks(kind: [String]) throws {
      try Workspace.run { workspace in
        for ranks in [1, 3] {
          let output = try workspace.output(["bench", "step", "--json"] + kind + BenchTests.sizes, ranks: ranks)
          let record = try #require(
            try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any], "\(output)")
          #expect(record["ranks"] as? Int == ranks)
          // Fewer operations run than the formula counts where numbers are read; more with a head at the last step.
          let (counted, run) = (
            try #require(record["shareOfPeak"] as? Double), try #require(record["runShareOfPeak"] as? Double)
          )
          #expect((run == counted) == kind.isEmpty, "\(output)")
          if kind == ["--inputs", "3"] { #expect(run < counted) }
        }
      }
    }

    private struct Step: Decodable {
      let ranks: Int
      let shareOfRoofline: Double
      let rooflineSeconds: Double
      let medianSeconds: Double
      let communicationSeconds: Double
      let waitingSeconds: Double
      let peakMemoryBytes: Int
      let estimatedMemory: [String: Int]
    }

    @Test func theStepIsHeldAgainstItsRooflineAndItsMemory() throws {
      try Workspace.run { workspace in
        let sizes = "--vocabulary 26 --hidden 128 --sequences 50 --steps 50 --rounds 2".split(separator: " ")
        let output = try workspace.output(["bench", "step", "--json"] + sizes.map(String.init), ranks: 2)
        let step = try JSONDecoder().decode(Step.self, from: Data(output.utf8))
        #expect(step.ranks == 2)
        #expect(abs(step.shareOfRoofline - step.rooflineSeconds / step.medianSeconds) < 1e-9)
        #expect(step.shareOfRoofline > 0)
        #expect(step.communicationSeconds > 0 && step.communicationSeconds < step.medianSeconds)
        #expect(step.waitingSeconds >= 0 && step.waitingSeconds < step.medianSeconds)
        let parts = ["parametersBytes", "gradientsBytes", "packedBytes", "activationsBytes", "otherBytes"]
        #expect(Set(step.estimatedMemory.keys) == Set(parts))
        // Embedding and output of 26 tokens, two layers of [257, 512]. Two ranks that share one copy count half of it.
        let parameterBytes = 4 * (26 * 128 + 2 * 257 * 512 + 129 * 26)
        #expect(step.estimatedMemory["gradientsBytes"] == parameterBytes)
        let counted = try #require(step.estimatedMemory["parametersBytes"])
        #expect([parameterBytes, parameterBytes / 2].contains(counted))
        // What MPI and the program itself take comes on top.
        #expect(step.estimatedMemory.values.reduce(0, +) < step.peakMemoryBytes)
      }
    }

    private struct Extremes: Decodable {
      struct Extreme: Decodable {
        let name: String
        let ratio: Double
        let denormals: Int
      }
      let extremes: [Extreme]
    }

    /// Some processors take many times as long for denormals, others no longer: whether the program flushes them shows
    /// in what it leaves in memory. The ratios of times are checked by `Launch/check-speed`.
    @Test func extremeNumbersLeaveNoDenormals() throws {
      try Workspace.run { workspace in
        let output = try workspace.output(["bench", "extremes", "--rounds", "3", "--json"], ranks: nil)
        let extremes = try JSONDecoder().decode(Extremes.self, from: Data(output.utf8)).extremes
        #expect(extremes.count == 8 && extremes.allSatisfy { $0.denormals == 0 && $0.ratio > 0 }, "\(extremes)")
      }
    }

    @Test func extremesAreMeasuredOnOneCore() throws {
      try Workspace.run { workspace in
        let outcome = try workspace.program(["bench", "extremes"], ranks: 2)
        #expect(outcome.exitCode == 64)
        #expect(outcome.errorLines.contains { $0.contains("expected one rank, got 2") }, "\(outcome)")
      }
    }

    @Test func layersAloneRunOnOneRank() throws {
      try Workspace.run { workspace in
        let arguments = ["bench", "step", "--shape", "small-shard", "--rounds", "1"]
        #expect(try workspace.output(arguments, ranks: 1).contains("5 sequences × 35 steps, 1 rank"))
        try workspace.expectRefusal(arguments, exitCode: 64, ["expected 1", "got 2", "small-shard"], ranks: [2])
      }
    }

    @Test func sizesBesideANamedShapeAreRefused() throws {
      try Workspace.run { workspace in
        try workspace.expectRefusal(
          ["bench", "step", "--shape", "char-128", "--steps", "3"], exitCode: 64, ["fixed", "got --steps 3"])
      }
    }

    @Test func everyRankNeedsASequence() throws {
      try Workspace.run { workspace in
        let small = "bench step --json --hidden 3 --steps 2 --rounds 1 --sequences".split(separator: " ")
          .map(String.init)
        try workspace.output(small + ["9"], ranks: 9)
        try workspace.expectRefusal(
          small + ["2"], exitCode: 64, ["more ranks than sequences", "expected at most 2", "got 3"], ranks: [3])
      }
    }

    @Test(arguments: [nil, 3])
    func aCheckpointIsWrittenInEveryStretch(ranks: Int?) throws {
      try Workspace.run { workspace in
        let sizes = "--layers 1 --hidden 5 --sequences 4 --steps 3 --seconds 0.05 --rounds 2".split(separator: " ")
        let output = try workspace.output(["bench", "checkpoint", "--json"] + sizes.map(String.init), ranks: ranks)
        let record = try #require(
          try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any], "\(output)")
        #expect((record["copySeconds"] as? [Double])?.count == 2, "\(output)")
        func steps(_ kind: String) -> Int { (record[kind] as? [String: Any])?["steps"] as? Int ?? 0 }
        #expect(steps("without") == steps("with") && steps("during") >= 2, "\(output)")
        #expect(steps("during") + steps("beside") == steps("with"), "\(output)")
        // Nothing stays but the configurations that a workspace has.
        #expect(try workspace.contents(".").keys.allSatisfy { !$0.contains("bench") })
      }
    }
  }
}
