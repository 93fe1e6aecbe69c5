import Foundation
import Testing

extension Commands {
  /// `bench step` on small sizes: what it measures is the machine's business, what it runs is not.
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
