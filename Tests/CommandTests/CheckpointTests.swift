import Foundation
import TestSupport
import Testing

extension Commands {
  /// Checkpoints beside the training: when they come, and which stay.
  struct CheckpointTests {
    /// Those of a run, and nothing else in their directory.
    private func checkpoints(_ workspace: Workspace, _ run: String) throws -> [Int] {
      let names = try FileManager.default.contentsOfDirectory(atPath: workspace.path("\(run)/checkpoints"))
      return try names.map { try #require(Int($0.dropFirst("step-".count)), "\($0)") }.sorted()
    }

    /// By steps, by the clock, or not at all on the way: the same bits, and at the end the same checkpoint.
    @Test(arguments: [nil, 3])
    func noneOfThemChangesABit(ranks: Int?) throws {
      try Workspace.run { workspace in
        let steps = ["--steps", "12"]
        let last = try workspace.train("none", steps, ranks: nil)
        #expect(try workspace.train("each", steps + ["--set", "training.checkpointEvery=1"], ranks: ranks) == last)
        #expect(try checkpoints(workspace, "each") == Array(1...12))
        #expect(try workspace.train("budget", steps + ["--set", "checkpoint.overhead=50%"], ranks: ranks) == last)
        for file in ["model", "optimizer", "state"] {
          let bytes = try ["none", "each", "budget"].map {
            try workspace.get(checkpoint($0, step: 12) + "/\(file).safetensors")
          }
          #expect(bytes[1] == bytes[0] && bytes[2] == bytes[0])
        }
        // From one that was written beside the training it goes on as from any other.
        for step in 8...12 { try workspace.remove(checkpoint("each", step: step)) }
        #expect(try workspace.train("each", steps, ranks: ranks == nil ? 2 : 4) == last)
      }
    }

    @Test func byTheClockOneComesEachSecondAndTheSameBitsFollow() throws {
      try Workspace.run { workspace in
        let script = """
          for i in $(seq 400); do [ $(saved) -ge 2 ] && break; sleep 0.05; done
          seen=$EPOCHREALTIME; kill -TERM $(rank 0); wait $job; code=$?
          echo "from the second to the end: $seen $EPOCHREALTIME"; exit $code
          """
        let settings = ["--set", "checkpoint.interval=1s", "--set", "training.checkpointEvery=0"]
        let outcome = try workspace.job("run", ranks: 2, settings, doing: script)
        #expect(outcome.exitCode == 75 && outcome.errorLines.isEmpty, "\(outcome)")
        let saved = try checkpoints(workspace, "run")
        // Two by the clock and the last one; where the end took its time, one more for each second.
        let times = try #require(outcome.output.firstMatch(of: #/to the end: ([0-9.]+) ([0-9.]+)/#)?.output)
        let seconds = try #require(Double(times.2)) - #require(Double(times.1))
        #expect((3...3 + Int(seconds)).contains(saved.count), "\(saved), \(seconds) s from the second to the end")
        let last = try #require(saved.last)
        let again = ["--steps", "\(last)", "--set", "training.evaluateEvery=0"]
        for step in saved.dropFirst() { try workspace.remove(checkpoint("run", step: step)) }
        #expect(
          try workspace.train("run", again, ranks: 3) == workspace.train("undisturbed", again, ranks: nil))
      }
    }

    @Test func theLastTheBestAndSomeOnTheWayStay() throws {
      try Workspace.run { workspace in
        let settings = [
          "--steps", "24", "--set", "training.checkpointEvery=2", "--set", "training.evaluateEvery=4",
          "--set", "checkpoint.keepLast=2", "--set", "checkpoint.keepEvery=9",
        ]
        try workspace.train("run", settings, ranks: 2)
        let losses = try workspace.metrics("run").filter { $0.event == "evaluated" }
        let best = try #require(losses.min { ($0.validationLoss ?? .nan) < ($1.validationLoss ?? .nan) }).step
        #expect(try checkpoints(workspace, "run") == Set([10, 18, best, 22, 24]).sorted())
        // Which is kept may change on resume; what is not given stays as it was.
        try workspace.train(
          "run",
          ["--steps", "26", "--set", "checkpoint.keepLast=1", "--set", "checkpoint.keepBest=false"]
            + ["--set", "checkpoint.keepEvery=0"], ranks: nil)
        #expect(try checkpoints(workspace, "run") == [26])
      }
    }
  }
}
