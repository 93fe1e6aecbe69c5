import ArgumentParser
import CProcessor
@preconcurrency import Glibc
import Kernels
import Launching
import MPI
import Problems
import Version

/// The program: parses arguments and runs a command as one rank of the job.
@main
struct LSTMDist: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lstm-dist",
    abstract: "Trains LSTMs by hand-derived back-propagation through time, data-parallel over MPI ranks.",
    discussion: """
      Start it alone, or on P ranks with `mpirun -np P lstm-dist …`; the trained parameters are the same bits for \
      every P. Without arguments `train` learns the embedded Reber grammar.
      """,
    version: versionText,
    subcommands: [
      Train.self, Verify.self, Replay.self, Evaluate.self, Predict.self, Sample.self, Gradients.self, Inspect.self,
      Bench.self, Config.self,
    ])

  /// What `--version` prints.
  private static var versionText: String {
    """
    lstm-dist \(Version.number)
    commit        \(Version.commit ?? "unknown: built without Git")
    compilers     \(Version.compiler)
    instructions  \(InstructionSet.offered.map(\.rawValue).joined(separator: ", ")); \(InstructionSet.current.rawValue) is used
    MPI           \(World.library)
    """
  }

  static func main() {
    StandardOutput.prepare()
    guard processor_runs_kernels() else {
      Problem(.internalError, "processor cannot run this program — expected AVX2 and FMA, got one without them")
        .printAndExit()
    }
    checkInstructionSet()
    checkArguments()
    processor_flush_denormals()
    do {
      var command = try parseAsRoot(Usage.withNegativeValues(CommandArguments.ofThisProcess.words))
      if let command = command as? any DistributedCommand { command.launchIfAsked() }
      try command.run()
    } catch {
      report(error)
    }
  }

  /// An instruction set that is named must be one that runs here: nothing is used in its stead.
  private static func checkInstructionSet() {
    let name = getenv(InstructionSet.environmentVariable).map { String(cString: $0) }
    guard InstructionSet.chosen(name) == nil else { return }
    let offered = InstructionSet.offered.map(\.rawValue).joined(separator: " or ")
    World.run { world in
      world.agree {
        throw Problem(
          .usage,
          "unknown instruction set — expected \(offered) on this processor, got \(name ?? "nothing") "
            + "(\(InstructionSet.environmentVariable))")
      }
    }
  }

  /// An argument is bytes. Bytes that are not UTF-8 would be repaired, and might then name another file.
  private static func checkArguments() {
    for (number, argument) in UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
      .enumerated()
    where argument.flatMap({ String(validatingCString: $0) }) == nil {
      let bytes = argument.map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) } ?? []
      World.run { world in
        world.agree {
          throw Problem(
            .usage, "argument \(number) cannot be used — expected UTF-8, got \"\(escaped(bytes))\"",
            hint: "rename the file, or use it through a symbolic link")
        }
      }
    }
  }

  /// Help and wrong usage: rank 0 prints, all ranks end with the same code.
  private static func report(_ error: any Error) -> Never {
    let (text, code) = (fullMessage(for: error), exitCode(for: error))
    guard code.isSuccess else {
      World.run { world in world.agree { throw Problem(.usage, Usage.suggesting(text.withoutPrefix)) } }
      Glibc.exit(64)
    }
    runJob { world in
      if world.communicator.rank == 0 { printLine(text) }
      return 0
    }
  }
}

extension String {
  /// Without the "Error: " of the argument parser.
  fileprivate var withoutPrefix: String { hasPrefix("Error: ") ? String(dropFirst(7)) : self }
}

extension Problem {
  /// For errors before there are ranks.
  func printAndExit() -> Never {
    fputs(Failure(describing: self).text + "\n", stderr)
    Glibc.exit(exitCode)
  }
}
