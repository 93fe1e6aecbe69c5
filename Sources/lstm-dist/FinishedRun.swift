import Configuration
import Glibc
import Launching
import Tasks

/// A run that has come to its end, and the commands that go on from it. Each can be pasted where the job ran.
struct FinishedRun {
  let configuration: Configuration
  /// Its directory.
  let path: String
  /// Its last step.
  let lastStep: Int
  /// Whether evaluations have ended it.
  let isExhausted: Bool
  /// Ranks of the job.
  let ranks: Int

  /// Commands that go on from it: those that its model is good for, its evaluation where something was held out, and
  /// training on.
  func nextCommands(_ uses: [ModelUse]) -> [ShellCommand] {
    uses.map(command) + (configuration.holdsSomethingOut ? [command("evaluate")] : []) + [trainsOn]
  }

  private func command(_ use: ModelUse) -> ShellCommand {
    switch use {
    case .inspect: command("inspect")
    case .sample(nil): command("sample")
    case .sample(let length?): command("sample", "--length", "\(length)")
    case .predict(let file): command("predict", ShellCommand.path(file))
    }
  }

  /// A command that reads the run, such as `lstm-dist inspect`.
  private func command(_ name: String, _ arguments: String...) -> ShellCommand {
    ShellCommand(["lstm-dist", name, ShellCommand.path(path)] + arguments)
  }

  /// How the run trains on: to twice its steps, where it has come to the last one; along a new cosine, where that has
  /// come to its end; with more patience, where evaluations have ended the run.
  private var trainsOn: ShellCommand {
    let (schedule, training) = (configuration.schedule, configuration.training)
    let hasCosineLeft = schedule.hasEnd && lastStep < schedule.end
    let isOver = lastStep >= training.steps || schedule.hasEnd && !hasCosineLeft
    let total = !isOver ? training.steps : hasCosineLeft ? min(2 * lastStep, schedule.end) : 2 * lastStep
    var words = trains + ["--run", ShellCommand.path(path)]
    if isOver { words += ["--steps", "\(total)"] }
    if schedule.hasEnd, !hasCosineLeft {
      words += ["--set", "schedule.begin=\(lastStep)", "--set", "schedule.end=\(total)"]
    }
    if isExhausted { words += ["--set", "training.patience=\(2 * training.patience)"] }
    return ShellCommand(words)
  }

  /// `train` on as many ranks, started as this job was; by mpirun on no more than there are cores, for without further
  /// options it starts no more.
  var trains: [String] {
    if Launcher.hasStartedThisRank { return ["lstm-dist", "train", "--ranks", "\(ranks)"] }
    let ranks = min(ranks, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    return (ranks > 1 ? ["mpirun", "-np", "\(ranks)"] : []) + ["lstm-dist", "train"]
  }
}
