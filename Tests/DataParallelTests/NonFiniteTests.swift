import Checkpoints
import DataParallel
import Foundation
import LSTM
import Sequences
import TestLauncher
import Testing

/// Numbers that go bad at a known place: who is blamed, what each policy makes of it, and what a dump repeats.
@Suite(.serialized) struct NonFiniteTests {
  private func withDirectory(_ body: (String) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("nonfinite-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    try body(url.path)
  }

  /// The lines that a training prints.
  private func train(
    _ run: String, _ policy: String, _ fault: String, rank: Int = 0, layer: Int = 0, ranks: Int?
  ) throws -> [String] {
    let outcome = try Launcher.run(
      "nonfinite-program", ["train", run, policy, fault, "\(rank)", "\(layer)"], ranks: ranks)
    try #require(outcome.exitCode == 0, "\(outcome)")
    return outcome.output.split(separator: "\n").map(String.init)
  }

  private func replay(_ dump: String, ranks: Int?) throws -> [String] {
    let outcome = try Launcher.run("nonfinite-program", ["replay", dump], ranks: ranks)
    try #require(outcome.exitCode == 0, "\(outcome)")
    return outcome.output.split(separator: "\n").map(String.init)
  }

  private func last(_ lines: [String]) throws -> String { try #require(lines.last { $0.hasPrefix("finished ") }) }

  /// NaN in the memory of each rank and in each layer: the first lane of that rank meets it first.
  @Test(arguments: [nil, 2, 3, 4])
  func theRankWithTheFaultIsBlamed(ranks: Int?) throws {
    let plan = try ShardPlan(globalBatch: 9, shards: 8, ranks: ranks ?? 1)
    try withDirectory { directory in
      for rank in 0..<plan.ranks {
        let layer = rank % 2
        let run = "\(directory)/run\(rank)"
        let lines = try train(run, "stop", "parameter", rank: rank, layer: layer, ranks: ranks)
        let lane = plan.lanes(ofRank: rank).lowerBound
        let shard = try #require((0..<8).first { plan.lanes(ofShard: $0).contains(lane) })
        let finding =
          "step 7: NaN in the update gate (F2) of layer \(layer), unit 0, timestep 0, sequence \(lane), shard \(shard); "
          + "before the step lstm.weight_hh_l\(layer) had a number that was not finite"
        try #require(lines.count == 4, "\(lines)")
        #expect(lines[0] == finding)
        // Of two ranks that differ, nobody knows which is right.
        let differs =
          plan.ranks > 2 || rank == 1
          ? ", whose lstm.weight_hh_l\(layer) is not that of the other ranks: suspect its memory" : ""
        #expect(lines[1] == "on rank \(rank) of \(plan.ranks)\(differs)")
        #expect(lines[2] == "dump \(run)/dumps/step-00000007" && lines[3] == "code 76")
        #expect(try replay("\(run)/dumps/step-00000007", ranks: 5 - plan.ranks) == ["same", finding])
      }
    }
  }

  /// A skipped step leaves no trace: whoever had the fault, the parameters at the end are the same.
  @Test func skipIsTheSameWhereverTheFaultWas() throws {
    try withDirectory { directory in
      var finished: Set<String> = []
      for (ranks, rank) in [(nil, 0), (2, 0), (2, 1), (3, 2), (4, 1), (4, 3)] as [(Int?, Int)] {
        let run = "\(directory)/\(ranks ?? 1)-\(rank)"
        let lines = try train(run, "skip", "parameter", rank: rank, layer: 1, ranks: ranks)
        #expect(lines.last == "code 0" && lines[0].hasPrefix("step 7: NaN"), "\(lines)")
        finished.insert(try last(lines))
        #expect(try SetbackRecord.read(RunDirectory(path: run).metricsPath) == [.skipped(step: 7)])
      }
      for ranks in [nil, 3] {
        finished.insert(
          try last(train("\(directory)/all\(ranks ?? 1)", "skip", "everywhere", ranks: ranks)))
      }
      #expect(finished.count == 1)
      #expect(try last(train("\(directory)/none", "skip", "none", ranks: 2)) != finished.first)
    }
  }

  /// A fault that does not come again, and a factor of 1: the run ends as one without a fault.
  @Test func rollbackUndoesAFaultThatDoesNotComeAgain() throws {
    try withDirectory { directory in
      let healthy = try last(train("\(directory)/none", "stop", "none", ranks: nil))
      for (ranks, rank) in [(nil, 0), (2, 1), (3, 0), (4, 2)] as [(Int?, Int)] {
        let lines = try train("\(directory)/\(ranks ?? 1)", "rollback", "parameter", rank: rank, ranks: ranks)
        #expect(lines.contains("back after step 4") && lines.last == "code 0", "\(lines)")
        #expect(try last(lines) == healthy)
      }
    }
  }

  /// NaN in the data: the place is exact, on any number of ranks; a rollback meets it again.
  @Test func aNumberOfTheDataIsNamed() throws {
    try withDirectory { directory in
      let finding = "step 7: NaN in the input, unit 1, timestep 2, sequence 5, shard 5"
      var finished: Set<String> = []
      for ranks in [nil, 2, 3, 4] {
        let run = "\(directory)/\(ranks ?? 1)"
        let lines = try train(run, "skip", "number", ranks: ranks)
        let plan = try ShardPlan(globalBatch: 9, shards: 8, ranks: ranks ?? 1)
        let rank = try #require((0..<plan.ranks).first { plan.lanes(ofRank: $0).contains(5) })
        #expect(lines[0] == finding && lines[1] == "on rank \(rank) of \(plan.ranks)", "\(lines)")
        finished.insert(try last(lines))
        #expect(try replay("\(run)/dumps/step-00000007", ranks: 5 - plan.ranks) == ["same", finding])
      }
      #expect(finished.count == 1)
      let lines = try train("\(directory)/back", "rollback", "number", ranks: 2)
      #expect(lines.filter { $0 == "back after step 4" }.count == 2 && lines.last == "code 76", "\(lines)")
      #expect(try RunDirectory(path: "\(directory)/back").checkpointSteps() == [0, 4])
    }
  }
}
