import Foundation
import TestSupport
import Testing

extension Commands {
  /// The same training ends with the same bits, whoever computes it and wherever it was stopped.
  struct DeterminismTests {
    /// Trains the same model on each number of ranks (nil: without mpirun) and expects one and the same hash.
    private func expectOneHash(_ arguments: [String], ranks: [Int?], in workspace: Workspace) throws {
      let records = try ranks.enumerated().map { try workspace.train("run\($0)", arguments, ranks: $1) }
      #expect(records[0].parametersSHA256?.count == 64)
      for record in records { #expect(record == records[0], "\(arguments) on \(ranks) ranks") }
    }

    @Test func anyNumberOfRanksEndsWithTheSameParameters() throws {
      try Workspace.run { workspace in
        try expectOneHash([], ranks: [nil, 1, 2, 3, 4, 5, 7], in: workspace)
        #expect(try workspace.text("run0/config.yaml").contains("shards: 7\n"))
      }
    }

    /// With 8 shards of 7 sequences one is empty; with 5 shards of 3 two are, and so are ranks.
    @Test(arguments: [(7, 8, [nil, 2, 3, 8]), (3, 5, [nil, 2, 4, 5])])
    func emptyShardsChangeNothing(sequences: Int, shards: Int, ranks: [Int?]) throws {
      try Workspace.run { workspace in
        let batch = ["--set", "batch.sequences=\(sequences)", "--set", "batch.shards=\(shards)"]
        try expectOneHash(batch + ["--steps", "8"], ranks: ranks, in: workspace)
      }
    }

    @Test(arguments: [
      ["optimizer.name=sgd", "optimizer.learningRate=0.5"], ["model.layers=3", "model.initialization=xavier"],
      ["data.tokens=bytes"], ["data.tokens=words", "batch.sequences=3", "data.vocabulary=8"], ["data.validation=0"],
    ])
    func otherSettingsAreAsReproducible(settings: [String]) throws {
      try Workspace.run { workspace in
        try expectOneHash(settings.flatMap { ["--set", $0] }, ranks: [nil, 3, 2], in: workspace)
      }
    }

    /// With several subtrees a rank (3 ranks of 7 shards), rows of the embedding that few lanes have, and moments or
    /// none; gradients read where they are, or sent, of the embedding some rows or all.
    @Test(arguments: ["optimizer.name=sgd", "optimizer.name=adam"])
    func sharedMemoryChangesNoBit(optimizer: String) throws {
      try Workspace.run { workspace in
        let settings = ["--set", optimizer, "--set", "data.tokens=words", "--set", "model.layers=2", "--steps", "8"]
        let alone = try workspace.train("alone", settings, ranks: nil)
        for ranks in 2...4 {
          for (mode, rows) in [("on", "sparse"), ("off", "sparse"), ("off", "dense")] {
            let distributed = ["distributed.sharedMemory=\(mode)", "distributed.embedding=\(rows)"]
            let run = try workspace.train(
              "\(mode)\(rows)\(ranks)", settings + distributed.flatMap { ["--set", $0] }, ranks: ranks)
            #expect(run == alone, "\(distributed) on \(ranks) ranks")
          }
        }
      }
    }

    /// On a processor with AVX-512 the training before this one ran on it.
    @Test func theInstructionSetChangesNoBit() throws {
      try Workspace.run { workspace in
        let best = try workspace.train("best", ranks: 2)
        let arguments = ["train", "--config", "small.yaml", "--run", "baseline"]
        let outcome = try workspace.program(
          arguments, ranks: 2, environment: ["LSTM_DIST_INSTRUCTIONS": "baseline"])
        #expect(outcome.exitCode == 0)
        #expect(try workspace.metrics("baseline").last == best)
        let refused = try workspace.program(arguments, ranks: 2, environment: ["LSTM_DIST_INSTRUCTIONS": "sse"])
        #expect(refused.exitCode == 64 && refused.errorLines.count == 1, "\(refused)")
      }
    }

    @Test func memoryThatMustBeSharedAndCannotBeIsAnError() throws {
      try Workspace.run { workspace in
        let settings = ["--set", "distributed.sharedMemory=on", "--set", "distributed.reduction=mpi"]
        let outcome = try workspace.program(["train", "--steps", "2"] + settings, ranks: 2)
        #expect(outcome.exitCode == 78, "\(outcome)")
        #expect(outcome.errorLines.first?.contains("distributed.reduction mpi uses messages") == true, "\(outcome)")
      }
    }

    @Test func theBuiltInTaskIsAsReproducible() throws {
      let results = try [nil, 3].map { ranks in
        var result: (String, [Substring]) = ("", [])
        try Workspace.run { workspace in
          let output = try workspace.output(
            ["train", "--steps", "25", "--set", "training.evaluateEvery=10"], ranks: ranks)
          let record = try #require(try workspace.metrics("runs/reber").last)
          // What comes next is advised for as many ranks.
          let truth = output.split(separator: "\n").drop { !$0.hasPrefix("embedded Reber grammar") }
            .prefix { $0 != "next:" }.filter { !$0.hasPrefix("a character model of any text: ") }
          #expect(truth.contains { $0.contains("by the grammar's own probabilities") }, "\(output)")
          #expect(truth.contains { $0.hasSuffix("legal") }, "\(output)")
          result = (try #require(record.parametersSHA256), Array(truth))
        }
        return result
      }
      #expect(results[0].0 == results[1].0)
      #expect(results[0].1 == results[1].1)
    }

    @Test func anotherSeedGivesOtherParameters() throws {
      try Workspace.run { workspace in
        let one = try workspace.train("one", ["--seed", "1"], ranks: nil)
        let other = try workspace.train("other", ["--seed", "2"], ranks: nil)
        let same = try workspace.train("same", ranks: nil)
        #expect(one.parametersSHA256 != other.parametersSHA256)
        #expect(one.parametersSHA256 == same.parametersSHA256)
      }
    }

    @Test func theLossFalls() throws {
      try Workspace.run { workspace in
        try workspace.train("run", ["--steps", "60", "--set", "training.evaluateEvery=10"], ranks: 2)
        let records = try workspace.metrics("run")
        let training = records.filter { $0.event == "step" }.compactMap(\.trainLoss)
        let validation = records.filter { $0.event == "evaluated" }.compactMap(\.validationLoss)
        try #require(training.count == 60 && validation.count == 6)
        #expect(training[55...].max()! < training[..<5].min()! - 0.3)
        #expect(validation[5] < validation[0] - 0.2)
      }
    }

    /// A step within an epoch (6), at its end (7), and a stop of a run whose states are carried through three epochs.
    @Test(arguments: [6, 7, 17])
    func aRunThatWasStoppedGoesOnWithTheSameBits(stop: Int) throws {
      try Workspace.run { workspace in
        let (steps, total) = (["--steps", "\(stop)"], ["--steps", "\(stop + 6)"])
        let undisturbed = try workspace.train("undisturbed", total, ranks: nil)
        try workspace.train("stopped", steps, ranks: 2)
        let resumed = try workspace.train("stopped", total, ranks: 4)
        #expect(resumed == undisturbed)
        let trained = try ["stopped", "undisturbed"].map { run in
          try workspace.metrics(run).filter { $0.event == "step" }
        }
        #expect(trained[0] == trained[1])
        #expect(trained[0].map(\.step) == Array(1...stop + 6))
      }
    }

    /// Without momentum there is no state of an optimizer, and with one rank all of it.
    @Test(arguments: [(["--set", "optimizer.name=sgd"], 3, 1), ([], 1, 3), ([], 3, 1)])
    func theStateOfTheOptimizerIsSharedOutAnew(settings: [String], before: Int, after: Int) throws {
      try Workspace.run { workspace in
        let undisturbed = try workspace.train("undisturbed", settings, ranks: 2)
        try workspace.train("stopped", settings + ["--steps", "5"], ranks: before)
        #expect(try workspace.train("stopped", settings, ranks: after) == undisturbed)
      }
    }

    @Test func theReductionOfMPIComesCloseAndIsTheSameOnOneRank() throws {
      try Workspace.run { workspace in
        let mpi = ["--set", "distributed.reduction=mpi"]
        let reproducible = try workspace.train("reproducible", ranks: nil)
        #expect(try workspace.train("alone", mpi, ranks: nil) == reproducible)
        let three = try workspace.train("three", mpi, ranks: 3)
        let (loss, expected) = (try #require(three.trainLoss), try #require(reproducible.trainLoss))
        #expect(abs(loss - expected) < 1e-4 * expected)
        // A state that was saved by three ranks, of which each has all of it.
        try workspace.train("stopped", mpi + ["--steps", "5"], ranks: 3)
        let resumed = try #require(try workspace.train("stopped", mpi, ranks: 2).trainLoss)
        #expect(abs(resumed - expected) < 1e-4 * expected)
      }
    }
  }
}
