import Foundation
import TestLauncher
import Testing

extension Commands {
  /// Where the time of a run went: in the metrics, and in a trace.
  @Suite struct TraceTests {
    private struct Event: Decodable {
      let name: String
      let cat: String?
      let ph: String
      let ts: Double
      let dur: Double?
      let pid: Int
      let tid: Int
      let args: Arguments

      var end: Double { ts + (dur ?? 0) }
    }

    private struct Arguments: Decodable {
      let step: Int?
      let name: String?
    }

    private struct Trace: Decodable {
      let displayTimeUnit: String
      let traceEvents: [Event]
    }

    private func read(_ name: String, _ workspace: Workspace) throws -> [Event] {
      try JSONDecoder().decode(Trace.self, from: Data(try workspace.get(name))).traceEvents
    }

    @Test(arguments: [nil, 1, 2, 3, 4] as [Int?]) func aTraceShowsEveryRank(ranks: Int?) throws {
      try Workspace.run { workspace in
        let small = try workspace.train("plain", ranks: ranks)
        let traced = try workspace.train("traced", ["--trace", "trace.json"], ranks: ranks)
        #expect(traced == small)
        let events = try read("trace.json", workspace)
        let processes = events.filter { $0.name == "process_name" }
        #expect(processes.map(\.pid) == Array(0..<(ranks ?? 1)))
        for process in processes {
          let own = events.filter { $0.pid == process.pid }
          #expect(process.args.name?.hasPrefix("rank \(process.pid) (") == true)
          try expectWholeSteps(own)
          expectNesting(own)
          try expectCommunication(own, isAlone: (ranks ?? 1) == 1)
        }
        #expect(Set(events.map(\.pid)) == Set(processes.map(\.pid)))
        // On one machine the clocks of all ranks are the same: nobody finishes a step before another has begun it.
        for step in 1...12 {
          let steps = events.filter { $0.name == "step \(step)" }
          #expect(steps.map(\.ts).max()! < steps.map(\.end).min()!)
        }
      }
    }

    /// 12 steps, each with its phases, which follow each other without a gap and within the step.
    private func expectWholeSteps(_ events: [Event]) throws {
      #expect(events.allSatisfy { $0.ph == "X" ? $0.dur != nil && $0.cat != nil && $0.ts >= 0 : $0.ph == "M" })
      for step in 1...12 {
        let whole = try #require(events.first { $0.name == "step \(step)" })
        let phases = events.filter {
          $0.cat == "computation" && $0.args.step == step && $0.ts >= whole.ts && $0.end <= whole.end + 0.0005
        }
        let names = Set(phases.map(\.name))
        for name in [
          "data", "forward", "loss", "backward output", "backward layer 1", "backward layer 0", "update", "packing",
        ] {
          #expect(names.contains(name), "\(name) in step \(step)")
        }
        for (event, next) in zip(phases, phases.dropFirst()) { #expect(abs(event.end - next.ts) < 0.0015) }
      }
      #expect(events.contains { $0.name == "checkpoint" })
    }

    /// In one lane two events are apart, or one lies within the other.
    private func expectNesting(_ events: [Event]) {
      for lane in Set(events.map(\.tid)) {
        var open: [Event] = []
        let sorted = events.filter { $0.tid == lane && $0.ph == "X" }.sorted {
          ($0.ts, -$0.end) < ($1.ts, -$1.end)
        }
        for event in sorted {
          while let last = open.last, last.end <= event.ts + 0.0005 { open.removeLast() }
          if let last = open.last { #expect(event.end <= last.end + 0.0005, "\(event) in \(last)") }
          open.append(event)
        }
      }
    }

    /// Each part is on its way once a step; that of the output layer while the layers below it are computed.
    private func expectCommunication(_ events: [Event], isAlone: Bool) throws {
      let lanes = events.filter { $0.name == "thread_name" && $0.tid > 0 }.compactMap(\.args.name)
      #expect(lanes.sorted() == ["embedding", "layer 0", "layer 1", "output"].map { "communication: \($0)" })
      let exchanges = events.filter { $0.cat == "communication" }
      #expect(exchanges.count == (isAlone ? 0 : 4 * 12))
      for event in exchanges where event.name == "output" {
        let below = try #require(events.first { $0.name == "backward layer 1" && $0.args.step == event.args.step })
        #expect(event.ts < below.end && below.ts < event.end, "\(event), \(below)")
      }
    }

    // MARK: Metrics

    @Test(arguments: [1, 2, 3, 4]) func theSharesOfAStepAddUp(ranks: Int) throws {
      try Workspace.run { workspace in
        let saves = ["--set", "training.checkpointEvery=3"]
        let output = try workspace.output(
          ["train", "--config", "small.yaml", "--run", "run"] + saves, ranks: ranks)
        #expect(output.contains(" ms: compute "))
        let summary = try #require(output.split(separator: "\n").first { $0.hasPrefix("time: compute ") })
        #expect(summary.contains("slowest is rank ") == (ranks > 1), "\(summary)")
        let names = ["compute", "communication", "waiting", "data", "checkpoint"]
        for (index, line) in try workspace.metricsLines("run").dropLast().enumerated() {
          let record = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
          let total = try #require(record["stepSeconds"] as? Double)
          let shares = try names.map { try #require(record[$0 + "Seconds"] as? Double) }
          #expect(shares.allSatisfy { $0 >= 0 } && total > 0 && abs(shares.reduce(0, +) - total) < 1e-9, "\(line)")
          if ranks == 1 { #expect(shares[2] == 0) }
          // What is written after step 3 delays step 4.
          #expect((shares[4] > 0) == (index > 0 && index % 3 == 0), "\(line)")
        }
      }
    }

    // MARK: Trouble

    @Test func aFileThatCannotBeWrittenIsFoundBeforeTheTraining() throws {
      try Workspace.run { workspace in
        let outcome = try workspace.program(
          ["train", "--config", "small.yaml", "--run", "run", "--trace", "missing/trace.json"], ranks: 2)
        #expect(outcome.exitCode == 74 && outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errors.contains("missing"), "\(outcome)")
        #expect(!outcome.output.contains("step "))
      }
    }

    @Test func aRunThatDivergesLeavesItsTrace() throws {
      try Workspace.run { workspace in
        let outcome = try workspace.program(
          [
            "train", "--config", "small.yaml", "--run", "run", "--trace", "trace.json", "--set", "optimizer.name=sgd",
            "--set", "optimizer.learningRate=1e30", "--set", "optimizer.clip=0",
          ], ranks: 2)
        #expect(outcome.exitCode == 76, "\(outcome)")
        #expect(Set(try read("trace.json", workspace).filter { $0.name == "step 1" }.map(\.pid)) == [0, 1])
      }
    }
  }
}
