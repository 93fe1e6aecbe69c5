import ArgumentParser
import Benchmarks
import Files
import Kernels
import Problems

/// `bench kernels`: every kernel beside its reference and the peak.
struct BenchKernels: DistributedCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Measures every kernel against its reference and the FMA peak, and the bandwidth of memory.")

  @Option(help: "Measured rounds.") var rounds = 11
  @Flag(help: "Prints one JSON object.") var json = false
  @OptionGroup var ranks: RankOptions

  func validate() throws {
    guard (1...100_000).contains(rounds) else {
      throw ValidationError("--rounds — expected 1 to 100000, got \(rounds)")
    }
  }

  func run() {
    runJob { world in
      try warnOfPlacement(world)
      // Every rank keeps its own core busy, as in training; rank 0 reports.
      let timings = benchmarkKernels(rounds: rounds)
      let levels = try MemoryLevels.measure(world: world)
      guard world.communicator.rank == 0 else { return 0 }
      let rows = table(["\(InstructionSet.current.rawValue) kernel"] + header, timings.map(row))
      printLine(json ? record(timings, levels).text : rows + "\n\n" + levels.text)
      return 0
    }
  }

  private var header: [String] { ["speed", "of the peak", "times the reference"] }

  private func row(_ timing: KernelTiming) -> [String] {
    let isFlops = timing.unit == "flop"
    return [
      timing.name,
      isFlops ? "\(rounded(timing.rate / 1e9, 1)) GFLOP/s" : "\(rounded(timing.rate / 1e6, 0)) million/s",
      isFlops ? "\(rounded(100 * timing.rate / timing.peak, 1)) %" : "",
      timing.referenceSeconds.map { rounded($0 / timing.seconds, 1) } ?? "",
    ]
  }

  private func record(_ timings: [KernelTiming], _ levels: MemoryLevels) -> JSONRecord {
    let kernels = timings.map { timing -> JSON in
      .object([
        "name": .string(timing.name), "seconds": .number(timing.seconds),
        "referenceSeconds": .number(timing.referenceSeconds), "work": .number(timing.work),
        "unit": .string(timing.unit), "peakGflops": .number(timing.peak / 1e9),
      ])
    }
    return [
      "kernels": .array(kernels), "instructionSet": .string(InstructionSet.current.rawValue), "bandwidths": levels.json,
    ]
  }
}
