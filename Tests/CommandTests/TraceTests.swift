import Foundation
import TestSupport
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

    /// Gradients that travel: where ranks share memory none does.
    private let messages = ["--set", "distributed.sharedMemory=off"]

    @Test(arguments: [nil, 1, 2, 3, 4] as [Int?]) func aTraceShowsEveryRank(ranks: Int?) throws {
      try Workspace.run { workspace in
        let small = try workspace.train("plain", ranks: ranks)
        let traced = try workspace.train("traced", ["--trace", "trace.json"] + messages, ranks: ranks)
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
        #expect(overlaps(events) == ((ranks ?? 1) > 1))
        // On one machine the clocks of all ranks are the same: nobody finishes a step before another has begun it.
        for step in 1...12 {
          let steps = events.filter { $0.name == "step \(step)" }
          #expect(steps.map(\.ts).max()! < steps.map(\.end).min()!)
        }
      }
    }

    /// In every step each rank has each part ready to be read, from the moment on at which it has computed it; it reads
    /// it when all ranks have come, one part after the other.
    @Test(arguments: [2, 3]) func aTraceShowsWhatRanksReadOfEachOther(ranks: Int) throws {
      try Workspace.run { workspace in
        try workspace.train("run", ["--trace", "trace.json", "--set", "distributed.sharedMemory=on"], ranks: ranks)
        let events = try read("trace.json", workspace)
        for step in 1...12 {
          for part in ["embedding", "layer 0", "layer 1", "output"] {
            func lane(_ name: String) -> [Event] { events.filter { $0.name == name && $0.args.step == step } }
            let (ready, reading) = (lane("\(part) ready"), lane("reading \(part)"))
            #expect(Set(ready.map(\.pid)).count == ranks && ready.count == ranks, "\(part) in step \(step)")
            #expect(Set(reading.map(\.pid)).count == ranks && reading.count == ranks, "\(part) in step \(step)")
            #expect((ready + reading).allSatisfy { $0.cat == "communication" && $0.tid == ready[0].tid && $0.tid > 0 })
            // Nobody reads what another rank has not computed yet.
            #expect(ready.map(\.ts).max()! <= reading.map(\.ts).min()! + 0.0015, "\(part) in step \(step)")
            let computed = lane("backward \(part)")
            for event in ready where part != "embedding" {
              let own = try #require(computed.first { $0.pid == event.pid })
              #expect(own.end <= event.ts + 0.0015)
            }
          }
        }
        for process in Set(events.map(\.pid)) { expectNesting(events.filter { $0.pid == process }) }
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
    }

    /// Whether a part was on its way while a part below it was computed. Of two ranks one is the first to submit a
    /// part, and has to compute on until the other one does.
    private func overlaps(_ events: [Event]) -> Bool {
      let backward = events.filter { $0.name.hasPrefix("backward ") }
      return events.contains { exchange in
        exchange.cat == "communication"
          && backward.contains { $0.pid == exchange.pid && exchange.ts < $0.end && $0.ts < exchange.end }
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
        for (index, line) in try workspace.metricsLines("run").filter({ $0.contains("\"step\",") }).enumerated() {
          let record = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
          let total = try #require(record["stepSeconds"] as? Double)
          let shares = try names.map { try #require(record[$0 + "Seconds"] as? Double) }
          #expect(shares.allSatisfy { $0 >= 0 } && total > 0 && abs(shares.reduce(0, +) - total) < 1e-9, "\(line)")
          if ranks == 1 { #expect(shares[1] == 0 && shares[2] == 0) }
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

    /// No file may be longer than 200 KB: the trace is shorter, the checkpoint is not.
    @Test func aRunThatEndsWithAnErrorLeavesItsTrace() throws {
      try Workspace.run { workspace in
        let program = Launcher.builtExecutable("lstm-dist").path
        let train = "train --config small.yaml --run run --trace trace.json --set model.hidden=200 --set model.layers=1"
        let outcome = try Launcher.run(
          ["bash", "-c", "trap '' XFSZ; ulimit -f 200; exec '\(program)' \(train)"], workingDirectory: workspace.url)
        #expect(outcome.exitCode == 74 && outcome.errors.contains("no checkpoint of step 12"), "\(outcome)")
        #expect(try read("trace.json", workspace).contains { $0.name == "step 12" })
      }
    }
  }
}
