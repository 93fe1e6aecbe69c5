import Foundation
import TestSupport
import Testing

/// A classifier of sequences of numbers from the first step to its checkpoint, on real ranks.
struct ClassifierTrainingTests {
  /// What `training-programs classifier` prints after training to each of `steps`, on so many ranks each time.
  private func trained(_ steps: [(Int, ranks: Int)], passes: Int = 1) throws -> [String] {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("classifier-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }
    return try steps.map { steps, ranks in
      let outcome = try Launcher.run(
        "training-programs", ["classifier", url.path, "\(steps)", "\(passes)"], ranks: ranks)
      try #require(outcome.exitCode == 0, "\(outcome)")
      return outcome.output
    }
  }

  /// As a PyTorch module of `lstm` = nn.LSTM(2, 9, 2) and `output` = nn.Linear(9, 2) names them.
  private static let tensors = """
    lstm.bias_hh_l0 [36]
    lstm.bias_hh_l1 [36]
    lstm.bias_ih_l0 [36]
    lstm.bias_ih_l1 [36]
    lstm.weight_hh_l0 [36, 9]
    lstm.weight_hh_l1 [36, 9]
    lstm.weight_ih_l0 [36, 2]
    lstm.weight_ih_l1 [36, 9]
    output.bias [2]
    output.weight [2, 9]

    """

  @Test func everyNumberOfRanksTrainsTheSameBitsAlsoAcrossACheckpoint() throws {
    let one = try trained([(150, 1)])[0]
    #expect(one.contains("saved as trained: true\n" + ClassifierTrainingTests.tensors))
    for ranks in 2...5 { #expect(try trained([(150, ranks)])[0] == one, "\(ranks) ranks") }
    #expect(try trained([(70, 3), (150, 2)])[1] == one)
  }

  @Test(arguments: [1, 2, 3, 4]) func severalPassesTrainTheSameBits(ranks: Int) throws {
    let one = try trained([(60, 1)])[0]
    for passes in [2, 4] { #expect(try trained([(60, ranks)], passes: passes)[0] == one, "\(passes) passes") }
  }

  @Test func theClassOfASequenceIsLearned() throws {
    #expect(try trained([(400, 1)])[0].contains("correct 20 of 20"))
  }

  @Test func aStepAllocatesNothingAfterTheFirst() throws {
    let outcome = try Launcher.run("training-programs", ["classifier"], ranks: nil)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(outcome.exitCode == 0 && lines.count == 5, "\(outcome)")
    #expect(lines.dropFirst() == ["step 1", "step 2", "step 3", "step 4"].map { "\($0): 0 allocations" }[...])
  }
}
