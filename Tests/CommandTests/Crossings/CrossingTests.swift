import Foundation
import TestSupport
import Testing

extension Commands {
  /// All pairs of features, each trained in one process and on three and then two ranks. The first run is held against
  /// computations of the test's own (`RunAudit`), the second against the first.
  struct CrossingTests {
    private static let chunks = 6

    /// Of those few that go together with everything else, one is found in each chunk.
    private static func crossings(ofChunk chunk: Int) -> [Crossing] {
      Crossing.all.enumerated().filter { $0.offset % chunks == chunk }.map(\.element)
    }

    @Test(arguments: 0..<chunks)
    func everyPairOfFeaturesDoesWhatBothSay(chunk: Int) throws {
      try CrossingProgram.run { program in
        let crossings = Self.crossings(ofChunk: chunk)
        try program.train(crossings.map(\.plain), in: "plain", ranks: nil)
        let measured = try program.said("measure", crossings.map(\.plain), in: "plain", ranks: nil)
        try program.train(crossings.map(\.first), in: "spread", ranks: 3)
        try program.train(crossings.map(\.second), in: "spread", ranks: 2)
        let repeated = try program.said("repeat", crossings.map(\.second), in: "spread", ranks: 2)
        for crossing in crossings {
          let name = crossing.name
          let audit = RunAudit(
            crossing: crossing,
            run: try RecordedRun(program.path("plain/\(name)"), measured: try #require(measured[name])))
          // The first of them leads to the place.
          #expect(audit.findings().prefix(3) == [])
          let difference = try Self.comparison(crossing).difference(
            program.path("plain/\(name)"), program.path("spread/\(name)"))
          #expect(difference == nil, "\(crossing.first) on 3 ranks, \(crossing.second) on 2")
          #expect(repeated[name] == "same", "\(name), repeated on 2 ranks")
          let back = try RunRecord.read(program.path("spread/\(name)")).filter { $0.event == "rolledBack" }
          #expect(back.map(\.step) == (crossing.has(.rollback) ? [3] : []), "\(name)")
        }
      }
    }

    /// A rollback is told of where there was one: the rest is that of a run that has half the rate from there on.
    private static func comparison(_ crossing: Crossing) -> RunComparison {
      crossing.has(.rollback)
        ? RunComparison(ignoredEvents: ["rolledBack"], ignoredTensors: ["setbacks", "learningRateFactor"])
        : RunComparison()
    }

    /// Whatever is said of pairs is said of all of them, and each feature meets each way to compute.
    @Test func theTableHasAllPairs() {
      for one in Feature.allCases {
        for two in Feature.allCases where one.goes(with: two) {
          #expect(Crossing.all.contains { $0.has(one) && $0.has(two) }, "\(one) and \(two)")
        }
        for way in Distribution.allCases where way.goes(with: one) {
          for job in 0...1 {
            let meets = Crossing.all.contains { $0.has(one) && $0.distributions[job].contains(way) }
            #expect(meets, "\(one) and \(way), job \(job)")
          }
        }
      }
      for one in Distribution.allCases {
        for two in Distribution.allCases where one != two {
          #expect(Crossing.all.contains { $0.distributions[0].contains(one) && $0.distributions[0].contains(two) })
        }
      }
    }

    /// What evaluations decide has been decided in enough of the runs, so that the table proves something.
    @Test func decisionsAreMade() throws {
      try CrossingProgram.run { program in
        let deciding: [Feature] = [.averageNonMonotonic, .plateau, .patience]
        let crossings = Crossing.all.filter { crossing in deciding.contains { crossing.has($0) } }
        try program.train(crossings.map(\.plain), in: "plain", ranks: nil)
        for feature in deciding {
          let those = crossings.filter { $0.has(feature) }
          let decided = try those.filter { crossing in
            let run = program.path("plain/\(crossing.name)")
            let steps = try RunRecord.read(run).filter { $0.event == "step" }
            let last = try RecordedState(run + "/checkpoints/" + (try #require(list(run + "/checkpoints").last)))
            return switch feature {
            case .averageNonMonotonic: last.averaged > 0
            case .plateau: Set(steps.map { $0.members["learningRate"] }).count > 1
            default: steps.count < 12
            }
          }
          #expect(2 * decided.count > those.count, "\(feature): \(decided.count) of \(those.count)")
        }
      }
    }

    /// The layers' gradients are larger than a bucket, and leave in several of them, some before all is computed: in
    /// passes and whole, tied and not, by messages and over shared memory.
    @Test func gradientsInBucketsAreThoseOfOneProcess() throws {
      try CrossingProgram.run { program in
        let kinds = ["large": "", "large-tied": " tied=1", "large-lamb": " optimizer=lamb"]
        let models = kinds.sorted { $0.key < $1.key }.map {
          "\($0) hidden=272 embedding=272 layers=1 steps=3 verifyEvery=1 clip=0.05 gradientStep=1\($1)"
        }
        try program.train(models, in: "plain", ranks: nil)
        let measured = try program.said("measure", models, in: "plain", ranks: nil)
        for (ranks, ways) in [(2, " messages=1 accumulate=2"), (3, " messages=1 dense=1 accumulate=2"), (3, "")] {
          try program.train(models.map { $0 + ways }, in: "on\(ranks)\(ways.isEmpty ? "shared" : "")", ranks: ranks)
        }
        for name in kinds.keys {
          for other in ["on2", "on3", "on3shared"] {
            let difference = try RunComparison().difference(
              program.path("plain/\(name)"), program.path("\(other)/\(name)"))
            #expect(difference == nil)
          }
          let said = try JSONDecoder().decode(
            RecordedRun.Measurement.self, from: Data(try #require(measured[name]).utf8))
          #expect(RunAudit.slopes(said) == [], "\(name)")
          let norm = try RunRecord.read(program.path("plain/\(name)")).first { $0.event == "step" && $0.step == 2 }
          #expect(norm?.number("gradientNorm") == said.gradientNorm, "\(name)")
        }
      }
    }
  }
}

/// `crossing-program` in a directory of its own, where there is one in memory: its runs have hundreds of checkpoints.
struct CrossingProgram {
  private let url: URL

  static func run(_ body: (CrossingProgram) throws -> Void) throws {
    let memory = URL(fileURLWithPath: "/dev/shm")
    let parent =
      FileManager.default.isWritableFile(atPath: memory.path) ? memory : FileManager.default.temporaryDirectory
    let url = parent.appendingPathComponent("crossings-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    try body(CrossingProgram(url: url))
  }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// What the program says of each case, by its name.
  func said(_ mode: String, _ cases: [String], in directory: String, ranks: Int?) throws -> [String: String] {
    try cases.joined(separator: "\n").write(toFile: path("cases"), atomically: false, encoding: .utf8)
    try FileManager.default.createDirectory(atPath: path(directory), withIntermediateDirectories: true)
    let outcome = try Launcher.run(
      "crossing-program", [mode, "cases", directory], ranks: ranks, workingDirectory: url, timeoutSeconds: 120)
    try #require(outcome.exitCode == 0, "\(outcome)")
    return Dictionary(
      outcome.output.split(separator: "\n").compactMap { line in
        line.firstIndex(of: " ").map { (String(line[..<$0]), String(line[line.index(after: $0)...])) }
      }, uniquingKeysWith: { $1 })
  }

  /// Trains each case to its end.
  func train(_ cases: [String], in directory: String, ranks: Int?) throws {
    let codes = try said("train", cases, in: directory, ranks: ranks)
    for line in cases {
      let name = String(line.prefix { $0 != " " })
      try #require(codes[name] == "0", "\(line) on \(ranks ?? 1) ranks: \(codes[name] ?? "nothing")")
    }
  }
}
