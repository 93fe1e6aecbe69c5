import ArgumentParser
@preconcurrency import Glibc
import JobHealth
import Launching
import MPI

/// How many ranks a command starts, of those that can run on several.
struct RankOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Starts this many ranks with mpirun, and what it needs.", valueName: "n"))
  var ranks: Int?
  @Option(
    help: ArgumentHelp(
      "Hosts and their slots, as mpirun reads them; without --ranks a rank on each slot.", valueName: "file"))
  var hostfile: String?

  private static let most = 4096

  var isAsked: Bool { ranks != nil || hostfile != nil }

  func validate() throws {
    if let ranks, !(1...RankOptions.most).contains(ranks) {
      throw ValidationError("--ranks — expected 1 to \(RankOptions.most), got \(ranks)")
    }
    if hostfile == "" { throw ValidationError("--hostfile — expected a path, got nothing") }
    if isAsked, World.hasLauncher {
      throw ValidationError(
        "\(ranks == nil ? "--hostfile" : "--ranks") — expected a process without a launcher, got one that mpirun or srun "
          + "has started")
    }
  }
}

/// A command that can run on several ranks.
protocol DistributedCommand: ParsableCommand {
  var ranks: RankOptions { get }
  /// Whether it saves its work on a signal.
  var heedsSignals: Bool { get }
  var readsStandardInput: Bool { get }
}

extension DistributedCommand {
  var heedsSignals: Bool { false }
  var readsStandardInput: Bool { false }

  /// With `--ranks` or `--hostfile` this process becomes the launcher of the job, and ends with it.
  func launchIfAsked() {
    guard ranks.isAsked else { return }
    let plan = LaunchPlan(
      ranks: ranks.ranks, hostfile: ranks.hostfile, stopsInGoodOrder: heedsSignals,
      readsStandardInput: readsStandardInput)
    let share = ProcessorShare.ofThisProcess
    do {
      Glibc.exit(try Launcher.run(plan, cores: min(Double(share.cores.count), share.quota ?? .infinity)))
    } catch {
      error.printAndExit()
    }
  }
}
