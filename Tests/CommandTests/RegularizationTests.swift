import Foundation
import TestSupport
import Testing

extension Commands {
  /// Everything that regularizes is drawn and added alike on any number of ranks, before and after a stop.
  struct RegularizationTests {
    private static let everything = [
      "model.dropoutMask=sequence", "model.weightDropout=0.4", "model.embeddingDropout=0.1",
      "model.activationPenalty=2", "model.temporalPenalty=1", "training.evaluateEvery=3", "verify.every=2",
    ].flatMap { ["--set", $0] }

    @Test(arguments: [2, 3, 4]) func anyNumberOfRanksTrainsTheSameBits(ranks: Int) throws {
      try Workspace.run { workspace in
        let alone = try workspace.train("alone", Self.everything, ranks: nil)
        let settings = ["--set", "distributed.sharedMemory=\(ranks == 3 ? "off" : "on")"]
        #expect(try workspace.train("many", Self.everything + settings, ranks: ranks) == alone)
        #expect(try workspace.metrics("many") == workspace.metrics("alone"))
        #expect(try workspace.train("plain", ranks: nil) != alone)
      }
    }

    /// Steps that are repeated, and those after a stop, draw what they drew before; an evaluation draws nothing.
    @Test func aResumedRunEndsTheSameAndIsVerified() throws {
      try Workspace.run { workspace in
        let undisturbed = try workspace.train("undisturbed", Self.everything, ranks: nil)
        try workspace.train("stopped", Self.everything + ["--steps", "5"], ranks: 2)
        #expect(try workspace.train("stopped", Self.everything, ranks: 3) == undisturbed)
        #expect(try workspace.program(["verify", "stopped"], ranks: 2).exitCode == 0)
        let evaluated = try [nil, 3].map { try workspace.output(["evaluate", "stopped"], ranks: $0) }
          .map { $0.split(separator: "\n").filter { $0.hasPrefix("loss: ") } }
        let loss = try #require(undisturbed.validationLoss)
        #expect(evaluated[0] == ["loss: \(loss) nats a token"] && evaluated[1] == evaluated[0])
      }
    }

    /// One option at a time changes the training, and not by chance the same way.
    @Test func eachOptionIsOneOfItsOwn() throws {
      try Workspace.run { workspace in
        let settings = [
          [], ["model.dropoutMask=sequence"], ["model.weightDropout=0.4"], ["model.embeddingDropout=0.1"],
          ["model.activationPenalty=2"], ["model.temporalPenalty=1"],
        ]
        let hashes = try settings.enumerated().map {
          try workspace.train("\($0)", $1.flatMap { ["--set", $0] } + ["--steps", "3"], ranks: nil).parametersSHA256
        }
        #expect(Set(hashes).count == settings.count)
      }
    }
  }
}
