import DataParallel
import Foundation
import LSTM
import Runs
import TestSupport
import Testing

/// Ranks that check each other and themselves.
struct ParanoidTests {
  /// Trains on so many ranks with a fault on one of them; what is left of it is the outcome and the run's metrics.
  private func train(fault: String, rank: Int = 0, ranks: Int?) throws -> (Outcome, [ParameterRecord]) {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("paranoid-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }
    let outcome = try Launcher.run("training-programs", ["paranoid", url.path, fault, "\(rank)"], ranks: ranks)
    return (outcome, try ParameterRecord.read(RunDirectory(path: url.path).metrics))
  }

  @Test func ranksWithoutAFaultAgreeAndRecordTheSame() throws {
    let (one, records) = try train(fault: "none", ranks: nil)
    #expect(one.exitCode == 0 && one.output.hasPrefix("finished "), "\(one)")
    #expect(records.map(\.step) == [4, 8, 12] && Set(records.map(\.chain)).count == 3)
    for ranks in 2...4 {
      let (outcome, others) = try train(fault: "none", ranks: ranks)
      #expect(outcome.exitCode == 0 && outcome.output == one.output, "\(outcome)")
      #expect(others.map(\.ranks) == [ranks, ranks, ranks])
      #expect(others.map(\.chain) == records.map(\.chain) && others.map(\.hashes) == records.map(\.hashes))
    }
  }

  /// On the rank that owns the number, and on others that only hold a copy.
  @Test(arguments: [(0, nil), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3), (3, 4)])
  func aFlippedBitIsCaughtInTheSameStep(rank: Int, ranks: Int?) throws {
    let (outcome, records) = try train(fault: "parameter", rank: rank, ranks: ranks)
    #expect(outcome.exitCode == 70, "\(outcome)")
    let name = rank == 0 ? "" : "[rank \(rank)/\(ranks ?? 1)] "
    #expect(
      outcome.errorLines == [
        name
          + "error: parameters have changed between two updates — expected lstm.weight_hh_l0 as the last update left "
          + "it, got other bits (step 6)"
      ], "\(outcome)")
    #expect(records.map(\.step) == [4])
  }

  @Test(arguments: [("start", "lstm.weight_hh_l0"), ("configuration", "the configuration"), ("data", "the data")])
  func aRankThatDiffersIsNamed(fault: String, what: String) throws {
    for (rank, ranks) in [(1, 2), (0, 3), (2, 3), (1, 4)] {
      let (outcome, _) = try train(fault: fault, rank: rank, ranks: ranks)
      #expect(outcome.exitCode == 70 && outcome.errorLines.count == 1, "\(outcome)")
      let error = try #require(outcome.errorLines.first)
      #expect(error.contains("error: ranks disagree about \(what) — expected "), "\(outcome)")
      #expect(
        error.contains("as on \(ranks - 1) of \(ranks) ranks") && error.contains(" on rank \(rank) ("), "\(outcome)")
    }
  }

  // MARK: The tensors

  /// One number after the other is changed: only the hash of its tensor changes, and every number has one.
  @Test(arguments: [
    ModelShape.languageModel(vocabulary: 3, embedding: 2, hidden: 2, layers: 2),
    ModelShape(input: .numbers(3), hidden: 2, layers: 1, head: .pooled(classes: 2)),
  ])
  func everyParameterBelongsToOneTensor(shape: ModelShape) {
    let tensors = ParameterTensors(shape)
    #expect(tensors.ranges.first?.lowerBound == 0 && tensors.ranges.last?.upperBound == shape.parameterCount)
    #expect(Set(tensors.names).count == tensors.names.count)
    var values = (0..<shape.parameterCount).map { Float($0) }
    let hashes = tensors.hashes(values)
    for index in values.indices {
      let tensor = tensors.ranges.firstIndex { $0.contains(index) }
      values[index].negate()
      let changed = tensors.hashes(values)
      #expect(hashes.indices.filter { changed[$0] != hashes[$0] } == [tensor])
      values[index].negate()
    }
  }

  @Test func aLinkDependsOnAllBeforeIt() {
    let first = ParameterTensors.link(after: 0, step: 4, hashes: [1, 2])
    let links = [
      first, ParameterTensors.link(after: 0, step: 5, hashes: [1, 2]),
      ParameterTensors.link(after: 0, step: 4, hashes: [2, 1]),
      ParameterTensors.link(after: first, step: 4, hashes: [1, 2]),
    ]
    #expect(Set(links).count == links.count)
  }
}
