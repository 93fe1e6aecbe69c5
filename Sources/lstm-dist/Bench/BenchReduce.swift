import ArgumentParser
import Benchmarks
import Files
import Problems

/// `bench reduce`: what adding gradients over ranks costs.
struct BenchReduce: DistributedCommand {
  static let configuration = CommandConfiguration(
    commandName: "reduce", abstract: "Measures the reduction of gradients, reproducible and by MPI_Allreduce.")

  @Option(parsing: .upToNextOption, help: "Numbers of the gradient; repeatable.")
  var sizes = [10_000, 100_000, 1_000_000, 8_000_000]
  @Option(help: "Measured rounds.") var rounds = 11
  @Flag(help: "Prints one JSON object.") var json = false
  @OptionGroup var ranks: RankOptions

  func validate() throws {
    for size in sizes where !(1...(1 << 28)).contains(size) {
      throw ValidationError("--sizes — expected 1 to \(1 << 28), got \(size)")
    }
    guard (1...100_000).contains(rounds) else {
      throw ValidationError("--rounds — expected 1 to 100000, got \(rounds)")
    }
  }

  func run() {
    runJob { world in
      try warnOfPlacement(world)
      let results = try sizes.map { try ReduceBenchmark.run(count: $0, world: world, rounds: rounds) }
      guard world.communicator.rank == 0 else { return 0 }
      if json {
        let records = results.map { result -> JSON in
          .object([
            "count": .integer(result.count), "reproducibleSeconds": .number(result.reproducibleSeconds),
            "sharedMemorySeconds": result.sharedSeconds.map { .number($0) } ?? .null,
            "mpiSeconds": .number(result.mpiSeconds),
          ])
        }
        printLine((["ranks": .integer(world.communicator.size), "sizes": .array(records)] as JSONRecord).text)
      } else {
        printLine(
          table(
            ["numbers", "MB", "reproducible ms", "over shared memory", "mpi ms", "ratio"],
            results.map {
              [
                "\($0.count)", rounded(Double($0.count) * 4e-6, 2), rounded($0.reproducibleSeconds * 1e3, 3),
                $0.sharedSeconds.map { rounded($0 * 1e3, 3) } ?? "-",
                rounded($0.mpiSeconds * 1e3, 3), rounded($0.reproducibleSeconds / $0.mpiSeconds, 2),
              ]
            }))
      }
      return 0
    }
  }
}
