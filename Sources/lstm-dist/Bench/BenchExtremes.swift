import ArgumentParser
import Benchmarks
import Files
import Problems

/// `bench extremes`: numbers and sizes that make other programs slow.
struct BenchExtremes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extremes",
    abstract: "Measures steps of extreme numbers and sizes against usual ones, in turn, on one core.")

  @Option(help: "Measured rounds.") var rounds = 21
  @Flag(help: "Prints one JSON object.") var json = false

  func validate() throws {
    guard (1...100_000).contains(rounds) else {
      throw ValidationError("--rounds — expected 1 to 100000, got \(rounds)")
    }
  }

  func run() {
    runJob { world in
      guard world.communicator.size == 1 else {
        throw Problem(.usage, "bench extremes — expected one rank, got \(world.communicator.size)")
      }
      let timings = try ExtremesBenchmark.run(world: world, rounds: rounds)
      printLine(
        json ? record(timings).text : table(["step", "ms", "beside", "ms", "ratio", "denormals"], timings.map(row)))
      return 0
    }
  }

  private func row(_ timing: ExtremeTiming) -> [String] {
    [
      timing.name, rounded(timing.seconds * 1e3, 3), timing.reference, rounded(timing.referenceSeconds * 1e3, 3),
      rounded(timing.ratio, 2), "\(timing.denormals)",
    ]
  }

  private func record(_ timings: [ExtremeTiming]) -> JSONRecord {
    let extremes = timings.map { timing -> JSON in
      .object([
        "name": .string(timing.name), "seconds": .number(timing.seconds), "reference": .string(timing.reference),
        "referenceSeconds": .number(timing.referenceSeconds), "ratio": .number(timing.ratio),
        "denormals": .integer(timing.denormals),
      ])
    }
    return ["extremes": .array(extremes)]
  }
}
