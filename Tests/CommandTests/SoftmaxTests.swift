import Foundation
import TestSupport
import Testing

extension Commands {
  /// Models of words whose softmax is cut into head and tails, or whose matrix is the embedding.
  struct SoftmaxTests {
    private static let words = [
      "data.tokens=words", "data.lineEnds=true", "data.vocabulary=0", "model.layers=1", "model.dropout=0.25",
    ]

    /// Settings behind those of words.
    private static func settings(_ more: [String]) -> [String] { (words + more).flatMap { ["--set", $0] } }

    /// A text of many lines.
    private static func lines() -> String {
      Workspace.corpus(characters: 900).split(separator: " ").enumerated()
        .map { $1 + ($0 % 7 == 6 ? "\n" : " ") }.joined()
    }

    /// On any number of ranks, over shared memory or by messages, in passes, and across a stop.
    @Test(arguments: [
      ["model.adaptiveSoftmax=3,6", "model.adaptiveFactor=2"],
      ["model.tied=true", "model.embedding=9", "model.hidden=9"],
      ["model.tied=true", "model.embedding=9", "model.hidden=9", "model.adaptiveSoftmax=3,6", "optimizer.name=sgd"],
    ])
    func bitsDependNeitherOnRanksNorOnAStop(softmax: [String]) throws {
      try Workspace.run { workspace in
        try workspace.put(SoftmaxTests.lines(), "corpus.txt")
        let arguments = SoftmaxTests.settings(softmax)
        let alone = try workspace.train("alone", arguments, ranks: nil)
        for (ranks, more) in [
          (2, ["paranoid=true"]), (3, ["batch.accumulate=2"]), (4, ["distributed.sharedMemory=off"]),
          (3, ["distributed.sharedMemory=off", "distributed.embedding=dense"]),
        ] {
          let run = try workspace.train(
            "run\(ranks)\(more.last!)", arguments + more.flatMap { ["--set", $0] }, ranks: ranks)
          #expect(run == alone, "\(more) on \(ranks) ranks")
        }
        try workspace.train("stopped", arguments + ["--steps", "5"], ranks: 3)
        #expect(try workspace.train("stopped", arguments, ranks: 2) == alone)
        let outputs = try [nil, 3].map { try workspace.output(["evaluate", "alone"], ranks: $0) }
        let loss = try #require(alone.validationLoss)
        #expect(outputs[0] == outputs[1] && outputs[0].contains("loss: \(loss) nats"))
        #expect(try workspace.output(["sample", "alone", "--length", "40"], ranks: nil).contains("<eos>"))
      }
    }

    @Test(arguments: [
      (["model.adaptiveSoftmax=3,99"], "expected cutoffs below the "),
      (["model.adaptiveSoftmax=3,3"], "expected ascending integers from 1 with commas between them, got \"3,3\""),
      (["model.adaptiveSoftmax=0,3"], "expected ascending integers from 1"),
      (["model.adaptiveSoftmax=two"], "expected ascending integers from 1"),
      (["model.adaptiveFactor=2"], "expected 4 without model.adaptiveSoftmax"),
      (["model.tied=true", "model.embedding=7"], "expected model.hidden, "),
      (
        ["model.tied=true", "model.embedding=9", "model.hidden=9", "model.adaptiveFactor=4"],
        "expected 1 with model.tied"
      ),
      (["data.lineEnds=true", "data.tokens=bytes"], "expected false but with data.tokens words"),
    ])
    func whatCannotBeCutIsRefused(settings: [String], words: String) throws {
      try Workspace.run { workspace in
        try workspace.expectRefusal(
          ["train", "--config", "small.yaml", "--run", "run"] + settings.flatMap { ["--set", $0] }, exitCode: 78,
          [words])
      }
    }
  }
}
