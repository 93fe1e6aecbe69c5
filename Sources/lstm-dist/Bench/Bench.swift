import ArgumentParser

/// `bench`: what the machine can do, and what the program makes of it.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures speed against the processor's peak, in the same run.",
    subcommands: [BenchStep.self, BenchKernels.self, BenchReduce.self, BenchCheckpoint.self, BenchExtremes.self])
}
