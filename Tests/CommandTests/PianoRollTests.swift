import Foundation
import TestSupport
import Testing

extension Commands {
  /// Pieces of music, a frame at a time.
  struct PianoRollTests {
    private static let arguments =
      [
        "task=piano-roll", "data.path=rolls.json", "model.hidden=7", "model.dropout=0.25", "batch.sequences=5",
      ].flatMap { ["--set", $0] } + ["--steps", "9"]

    /// Eleven pieces of 2 to 12 frames in each part.
    private static func rolls() -> String {
      let pieces = (2...12).map { length in
        "[" + (0..<length).map { "[\(21 + ($0 * length) % 88),\(50 + $0)]" }.joined(separator: ",") + "]"
      }.joined(separator: ",")
      return "{\"train\":[\(pieces)],\"valid\":[\(pieces)],\"test\":[\(pieces)]}"
    }

    private func train(_ run: String, _ more: [String] = [], ranks: Int?, in workspace: Workspace) throws -> String {
      let output = try workspace.output(["train", "--run", run] + Self.arguments + more, ranks: ranks)
      return String(output.split(separator: "\n").last { $0.contains("SHA-256") } ?? "")
    }

    @Test func bitsDependNeitherOnRanksNorOnAStop() throws {
      try Workspace.run { workspace in
        try workspace.put(Self.rolls(), "rolls.json")
        let alone = try train("alone", ranks: nil, in: workspace)
        #expect(alone.hasPrefix("finished at step 9"))
        for (ranks, more) in [
          (2, []), (3, ["--set", "batch.accumulate=2"]), (4, ["--set", "training.recompute=4"]),
          (3, ["--set", "distributed.sharedMemory=off"]),
        ] {
          #expect(try train("run\(ranks)\(more.last ?? "")", more, ranks: ranks, in: workspace) == alone)
        }
        _ = try train("stopped", ["--steps", "4"], ranks: 3, in: workspace)
        #expect(try train("stopped", ranks: 2, in: workspace) == alone)
        let outputs = try [nil, 2, 3, 4].map { try workspace.output(["evaluate", "alone"], ranks: $0) }
        for output in outputs { #expect(output == outputs[0]) }
        #expect(outputs[0].contains("test: 11 pieces, 66 frames, loss: "))
      }
    }

    @Test func whatIsNoPianoRollIsRefused() throws {
      try Workspace.run { workspace in
        try workspace.put("{}", "rolls.json")
        try workspace.expectRefusal(
          ["train", "--run", "run"] + Self.arguments, exitCode: 65, ["piano rolls without part train"])
        try workspace.expectRefusal(
          ["train", "--run", "run"] + Self.arguments + ["--set", "batch.steps=9"], exitCode: 78,
          ["impossible value of batch.steps — expected 0 with task piano-roll"])
      }
    }
  }
}
