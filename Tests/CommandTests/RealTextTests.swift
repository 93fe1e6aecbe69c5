import Foundation
import TestSupport
import Testing

extension Commands {
  /// A real text, where there is one: a million characters of Shakespeare in `LSTM_DIST_DATA`.
  struct RealTextTests {
    private static let path = ProcessInfo.processInfo.environment["LSTM_DIST_DATA"].map {
      $0 + "/tinyshakespeare/input.txt"
    }

    /// Without any context, from the frequencies of characters alone, the text has 3.3 nats a character.
    @Test(.enabled(if: path != nil, "LSTM_DIST_DATA is not set"))
    func aSmallModelSoonKnowsMoreThanTheFrequencies() throws {
      try Workspace.run { workspace in
        let model = ["model.hidden=64", "model.layers=1", "model.embedding=32", "optimizer.learningRate=0.01"]
        try workspace.output(
          ["train", "--text", try #require(Self.path), "--steps", "100"] + model.flatMap { ["--set", $0] }, ranks: 2)
        let loss = try #require(try workspace.metrics("runs/input").last?.validationLoss)
        #expect(loss < 2.6)
        let output = try workspace.output(["evaluate", "runs/input"], ranks: 3)
        #expect(output.contains("loss: \(loss) nats a token\n"), "\(output)")
      }
    }
  }
}
