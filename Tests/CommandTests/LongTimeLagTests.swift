import TestSupport
import Testing

extension Commands {
  /// The generated tasks of Hochreiter and Schmidhuber (1997) with symbols, and the paper's criteria.
  struct LongTimeLagTests {
    private func train(_ settings: [String], steps: Int, run: String) -> [String] {
      ["train", "--run", run, "--steps", "\(steps)"] + settings.flatMap { ["--set", $0] }
    }

    @Test(arguments: [
      ["task=temporal-order", "data.heldOutStrings=21"],
      ["task=temporal-order", "data.heldOutStrings=21", "data.relevantSymbols=3"],
      ["task=copy", "data.symbols=9", "data.heldOutStrings=21"],
      ["task=copy", "data.symbols=9", "data.heldOutStrings=21", "data.variant=2b"],
      ["task=copy", "data.symbols=9", "data.heldOutStrings=21", "data.variant=2b", "training.recompute=3"],
      ["task=copy", "data.symbols=5", "data.heldOutStrings=21", "data.variant=2c", "data.shortest=8"],
    ])
    func everyNumberOfRanksTrainsAndMeasuresTheSameBits(settings: [String]) throws {
      try Workspace.run { workspace in
        for (run, ranks) in [("alone", nil), ("four", 4)] as [(String, Int?)] {
          try workspace.output(train(settings, steps: 6, run: run), ranks: ranks)
        }
        let records = try ["alone", "four"].map { try #require(try workspace.metrics($0).last) }
        #expect(records[0] == records[1] && records[0].event == "finished")
        let results = try [nil, 3].map { try workspace.output(["evaluate", "alone"], ranks: $0) }
        #expect(results[0] == results[1] && results[0].contains("21 of 21 held-out sequences wrong"))
        #expect(results[0].contains("loss: \(try #require(records[0].validationLoss)) nats a s"))
        #expect(results[0].contains("not met after \(6 * 32) sequences"))
        try workspace.expectRefusal(["evaluate", "alone", "--data", "x"], exitCode: 78, ["has no files"])
      }
    }

    /// Over so short a lag the task is learned at once, and the criterion, which wants 10,000 sequences, is met.
    @Test func theCriterionIsMetByWhatIsLearned() throws {
      try Workspace.run { workspace in
        let settings = ["task=copy", "data.symbols=3", "optimizer.learningRate=0.02", "data.variant=2c"]
        try workspace.output(train(settings + ["data.shortest=2"], steps: 150, run: "run"), ranks: 2)
        let result = try workspace.output(["evaluate", "run"], ranks: nil)
        #expect(result.contains("  0 of 10000 held-out sequences wrong"), "\(result)")
        #expect(result.contains("10000 new sequences right: met after \(150 * 32) sequences"), "\(result)")
      }
    }

    @Test func settingsThatCannotBeAreRefused() throws {
      try Workspace.run { workspace in
        for (settings, word) in [
          (["data.symbols=1"], "data.symbols"), (["data.shortest=5"], "data.shortest"),
          (["data.variant=2c", "data.shortest=0"], "data.shortest"), (["data.variant=2d"], "data.variant"),
          (["batch.steps=9"], "batch.steps"), (["data.path=x"], "data.path"),
        ] {
          try workspace.expectRefusal(
            train(["task=copy"] + settings, steps: 3, run: "none"), exitCode: 78, [word], ranks: [nil])
        }
      }
    }
  }
}
