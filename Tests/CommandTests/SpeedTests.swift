import Foundation
import TestSupport
import Testing

extension Commands {
  /// Ratios of times within one run, never times. On a busy machine one run proves nothing against the program: the
  /// best of a few has to be good.
  struct SpeedTests {
    private static let attempts = 4

    private struct Extremes: Decodable {
      struct Extreme: Decodable {
        let name: String
        let ratio: Double
        let denormals: Int
      }
      let extremes: [Extreme]
    }

    @Test func extremeNumbersAndSizesTakeNoLongerThanUsualOnes() throws {
      try Workspace.run { workspace in
        var best: [String: Double] = [:]
        for _ in 0..<Self.attempts where best.isEmpty || best.values.contains(where: { $0 > 1.4 }) {
          let output = try workspace.output(["bench", "extremes", "--rounds", "11", "--json"], ranks: nil)
          for extreme in try JSONDecoder().decode(Extremes.self, from: Data(output.utf8)).extremes {
            best[extreme.name] = min(best[extreme.name] ?? .infinity, extreme.ratio)
            // Some processors take many times as long for denormals, others no longer: the ratio says nothing there of
            // whether the program flushes them, but what it leaves in memory does.
            #expect(extreme.denormals == 0, "\(extreme)")
          }
        }
        #expect(best.count == 8)
        #expect(best.filter { $0.value > 1.4 }.isEmpty, "\(best)")
      }
    }

    private struct Step: Decodable {
      let tokensPerSecond: Double
      let ranks: Int
      let shareOfRoofline: Double
      let rooflineSeconds: Double
      let medianSeconds: Double
      let communicationSeconds: Double
      let waitingSeconds: Double
      let peakMemoryBytes: Int
      let estimatedMemory: [String: Int]
    }

    private struct TrainedStep: Decodable {
      let event: String
      let stepSeconds: Double?
    }

    private static let sizes = ["--vocabulary", "26", "--hidden", "128", "--sequences", "50", "--steps", "50"]

    private func benchmarked(_ workspace: Workspace) throws -> Step {
      let output = try workspace.output(["bench", "step", "--rounds", "9", "--json"] + Self.sizes, ranks: 2)
      return try JSONDecoder().decode(Step.self, from: Data(output.utf8))
    }

    /// Tokens a second of a short training of the same sizes; the first step touches all memory for the first time.
    private func trained(_ workspace: Workspace) throws -> Double {
      let model =
        "model.embedding=128 model.hidden=128 model.layers=2 model.dropout=0 batch.sequences=50 batch.steps=50"
      let run = "optimizer.name=sgd optimizer.learningRate=0.1 optimizer.clip=5 data.validation=0 training.steps=10"
      let settings = "\(model) \(run)".split(separator: " ").flatMap { ["--set", String($0)] }
      try workspace.output(
        ["train", "--text", "letters.txt", "--run", "speed", "--fresh"] + settings, ranks: 2)
      let records = try workspace.metricsLines("speed").map {
        try JSONDecoder().decode(TrainedStep.self, from: Data($0.utf8))
      }
      let seconds = records.filter { $0.event == "step" }.dropFirst().compactMap(\.stepSeconds).sorted()
      try #require(seconds.count == 9)
      return 50 * 50 / seconds[4]
    }

    @Test func theBenchmarkedStepIsAsFastAsTheTrainedOne() throws {
      try Workspace.run { workspace in
        // 25 letters and the entry for what is unknown: V = 26.
        let letters = (0..<30_000).map { UInt8(97 + $0 * $0 / 7 % 25) }
        try workspace.put(letters, "letters.txt")
        var ratios: [Double] = []
        for _ in 0..<Self.attempts where !ratios.contains(where: { (0.7...1.4).contains($0) }) {
          let step = try benchmarked(workspace)
          ratios.append(step.tokensPerSecond / (try trained(workspace)))
        }
        #expect(ratios.contains { (0.7...1.4).contains($0) }, "\(ratios)")
      }
    }

    @Test func theStepIsHeldAgainstItsRooflineAndItsMemory() throws {
      try Workspace.run { workspace in
        let step = try benchmarked(workspace)
        #expect(step.ranks == 2)
        #expect(abs(step.shareOfRoofline - step.rooflineSeconds / step.medianSeconds) < 1e-9)
        #expect(step.shareOfRoofline > 0)
        #expect(step.communicationSeconds > 0 && step.communicationSeconds < step.medianSeconds)
        #expect(step.waitingSeconds >= 0 && step.waitingSeconds < step.medianSeconds)
        let parts = ["parametersBytes", "gradientsBytes", "packedBytes", "activationsBytes", "otherBytes"]
        #expect(Set(step.estimatedMemory.keys) == Set(parts))
        // Embedding and output of 26 tokens, two layers of [257, 512]. Two ranks that share one copy count half of it.
        let parameterBytes = 4 * (26 * 128 + 2 * 257 * 512 + 129 * 26)
        #expect(step.estimatedMemory["gradientsBytes"] == parameterBytes)
        let counted = try #require(step.estimatedMemory["parametersBytes"])
        #expect([parameterBytes, parameterBytes / 2].contains(counted))
        // What MPI and the program itself take comes on top.
        #expect(step.estimatedMemory.values.reduce(0, +) < step.peakMemoryBytes)
      }
    }

    @Test func extremesAreMeasuredOnOneCore() throws {
      try Workspace.run { workspace in
        let outcome = try workspace.program(["bench", "extremes"], ranks: 2)
        #expect(outcome.exitCode == 64)
        #expect(outcome.errorLines.contains { $0.contains("expected one rank, got 2") }, "\(outcome)")
      }
    }
  }
}
