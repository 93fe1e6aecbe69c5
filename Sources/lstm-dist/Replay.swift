import ArgumentParser
import DataParallel
import Plan
import Problems

/// `replay`: repeats a step whose loss or gradient was not finite.
struct Replay: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Repeats a step whose loss or gradient was infinite or NaN, from what a run has dumped of it.",
    discussion: """
      A dump holds the parameters, sequences and states that the step began with; neither the run nor its data are needed, \
      and any number of ranks up to the run's shards will do. The first number that is not finite is named, as the run named \
      it.

      Exit code 0 where it is the same one, 70 where it is not, 65 for a damaged dump.
      """)

  @Argument(help: ArgumentHelp("A dump: runs/NAME/dumps/step-N.", valueName: "dump"))
  var path: String
  @OptionGroup var ranks: RankOptions

  func run() {
    runJob { world in
      let dump = world.agree {
        let dump = try StepDump(path)
        _ = try ShardPlan(
          globalBatch: dump.setup.globalBatch, shards: dump.setup.shards, ranks: world.communicator.size)
        return dump
      }
      let isRoot = world.communicator.rank == 0
      if isRoot {
        printLine("recorded on rank \(dump.recordedRank.rank) of \(dump.recordedRank.of)")
        printLine("  \(dump.finding)")
      }
      let finding = try dump.replay(on: world)
      if let finding, isRoot {
        printLine("repeated on \(world.communicator.size), found on rank \(finding.rank)")
        printLine("  \(finding)")
      }
      world.agree {
        guard let finding, dump.isSame(finding) else {
          throw Problem(
            .internalError,
            "the repetition differs from the dump — expected \(dump.finding), got "
              + "\(finding.map { "\($0)" } ?? "finite numbers throughout") (\(dump.path))",
            hint: "what does not come again came from a memory or a processor, not from the numbers")
        }
      }
      return 0
    }
  }
}
