import Foundation
import TestSupport
import Testing

extension Commands {
  /// The contract as a whole: whoever computes, in how many passes, and over what memory, the parameters are the same.
  struct ContractTests {
    /// 8 shards of 13 sequences, so that shards and ranks are uneven, and text in lanes that are carried on; or
    /// shuffled strings of different lengths.
    private static let models = [
      ["--config", "small.yaml", "--set", "data.tokens=words", "--set", "batch.steps=6"],
      ["--config", "small.yaml", "--set", "model.layers=3", "--set", "model.dropout=0"],
      [
        "--set", "task=reber", "--set", "data.trainingStrings=40", "--set", "model.layers=2", "--set",
        "model.dropout=0.2",
      ],
    ]

    /// Passes, shared memory and rows that travel: over all models and numbers of ranks every pair of values meets.
    private static func variants(model: Int, ranks: Int) -> [[String]] {
      let pairs = [
        [("1", "on", "dense"), ("4", "off", "sparse")], [("1", "off", "sparse"), ("4", "on", "dense")],
        [("4", "off", "dense"), ("1", "on", "sparse")], [("1", "off", "dense"), ("4", "on", "sparse")],
      ]
      return pairs[(model + ranks) % 4].map {
        ["batch.accumulate=\($0)", "distributed.sharedMemory=\($1)", "distributed.embedding=\($2)"]
      }
    }

    @Test(arguments: [0, 1, 2], [1, 2, 3, 4, 5, 8])
    func theParametersAreTheSame(model: Int, ranks: Int) throws {
      try Workspace.run { workspace in
        let common =
          ["train"] + Self.models[model] + [
            "--steps", "5", "--set", "batch.sequences=13", "--set", "training.evaluateEvery=0",
            "--set", "training.checkpointEvery=0",
          ]
        func trained(_ run: String, _ settings: [String], ranks: Int?) throws -> Record? {
          try workspace.output(common + ["--run", run] + settings, ranks: ranks)
          return try workspace.metrics(run).last
        }
        let alone = try trained("alone", [], ranks: nil)
        #expect(alone?.parametersSHA256?.count == 64)
        #expect(try workspace.text("alone/config.yaml").contains("shards: 8\n"))
        for (index, settings) in Self.variants(model: model, ranks: ranks).enumerated() {
          let record = try trained("run\(index)", settings.flatMap { ["--set", $0] }, ranks: ranks)
          #expect(record == alone, "\(settings) on \(ranks) ranks")
          let difference = try RunComparison().difference(workspace.path("alone"), workspace.path("run\(index)"))
          #expect(difference == nil, "\(settings) on \(ranks) ranks")
        }
      }
    }
  }
}
