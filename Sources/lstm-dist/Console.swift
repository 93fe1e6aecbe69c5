import CSystem
import DataParallel
import Launching
import MPI
import Problems
import Runs
import Tasks
import Timing
import TrainingLoop

/// Shows progress on rank 0: one line that is rewritten on a terminal, plain lines now and then elsewhere.
final class Console {
  private let isTerminal = StandardOutput.isTerminal
  /// What one target is.
  private let unit: String
  /// What a loss is measured in, with the target.
  private let lossUnit: String
  private var shownSeconds = -Double.infinity
  private var hasLiveLine = false
  /// Where the run is, if its directory has been renamed.
  private var movedTo: String?
  /// Where the time of the steps since the last line went.
  private var split = StepSplit()
  private var splitSteps = 0

  /// A console for a run on these data.
  init(_ data: RunData) {
    unit = data.unit
    lossUnit = data.measure.isEmpty ? "a \(data.unit)" : "\(data.measure) a \(data.unit)"
  }

  /// Seconds between two updates of a live line, and between two plain lines.
  private var interval: Double { isTerminal ? 0.1 : 10 }

  /// Prints a line that stays.
  func line(_ text: String) {
    if hasLiveLine { StandardOutput.print("\r\u{1B}[K", terminator: "") }
    hasLiveLine = false
    printLine(text)
  }

  /// Shows what the trainer says.
  func show(_ report: TrainingReport) {
    switch report {
    case .stopping(let reason):
      // A signal to this process has been answered by its handler, one to the launcher by that.
      if system_stop_signal() == 0, !Launcher.hasStartedThisRank { line("stopping: \(reason)") }
    case .step(let step, let total, let result, let split, let tokensPerSecond, let secondsLeft):
      self.split += split
      splitSteps += 1
      showStep(step, total, result, tokensPerSecond, secondsLeft)
    case .straggler(let step, let slow):
      line("step \(step)  \(slow.complaint)")
    case .times(let split, let slowest):
      line("time: \(split.shares)\(slowest.map { "; \($0.text)" } ?? "")")
    case .evaluated(let step, let loss):
      line("step \(step)  validation loss \(rounded(loss, 4)) \(lossUnit)")
    case .saved(_, let path):
      line("checkpoint \(path)")
    case .moved(let from, let to):
      movedTo = to
      tell("warning: the run's directory was renamed from \(from) to \(to), and training goes on there", hint: nil)
    case .removalFailed(let error):
      tell("warning: a superseded checkpoint cannot be removed: \(error.message)", hint: error.hint)
    case .recordLost(let error):
      tell("warning: a record of the metrics is lost, training goes on: \(error.message)", hint: error.hint)
    case .coordinator(let report):
      show(report)
    case .nonFinite(let finding, let ranks, let dump):
      line("\(finding), \(finding.blame(ranks: ranks))")
      show(dump)
    case .rolledBack(let step, let factor):
      line("back after step \(step), the learning rate multiplied by \(factor) from here on")
    case .damaged(let damaged):
      for checkpoint in damaged {
        tell("warning: passed over a damaged checkpoint: \(checkpoint.error.message)", hint: nil)
      }
    case .finished(let step, let trainLoss, _, let sha256):
      line("finished at step \(step), training loss \(rounded(trainLoss ?? .nan, 4)); parameters SHA-256 \(sha256)")
    }
  }

  private func show(_ dump: DumpOutcome) {
    switch dump {
    case .written(let path): line("dump \(path), which lstm-dist replay repeats")
    case .limitReached, .onRoot: break
    case .failed(let error): tell("warning: no dump of the step: \(error.message)", hint: error.hint)
    }
  }

  private func show(_ report: Coordinator.Report) {
    switch report {
    case .alreadyFinished, .exhausted: line("\(report)")
    case .stoppedOnRequest:
      let resume = movedTo.map { ShellCommand(["lstm-dist", "train", "--run", $0]).line } ?? "the same command"
      line("\(report); \(resume) goes on from there")
    case .checkpointFailed(_, let error, goesOn: true, _): tell("warning: \(report)", hint: error.hint)
    case .checkpointFailed(_, let error, goesOn: false, _): tell("error: \(report)", hint: error.hint)
    case .diverged:
      tell(
        "error: \(report) — expected finite numbers",
        hint: "lower optimizer.learningRate, or limit gradients with optimizer.clip")
    case .skipped, .rollingBack: tell("warning: \(report)", hint: nil)
    case .unexpected: tell("error: \(report)", hint: nil)
    }
  }

  /// A warning or error, on stderr.
  private func tell(_ text: String, hint: String?) {
    if hasLiveLine { StandardOutput.print("\r\u{1B}[K", terminator: "") }
    hasLiveLine = false
    printError(text + (hint.map { "\nhint: \($0)" } ?? ""))
  }

  private func showStep(
    _ step: Int, _ total: Int, _ result: StepResult, _ tokensPerSecond: Double, _ secondsLeft: Double
  ) {
    let now = World.wallTimeSeconds()
    guard step == total || now - shownSeconds >= interval else { return }
    shownSeconds = now
    let text =
      "step \(step)/\(total)  loss \(rounded(result.loss, 4))  \(rounded(tokensPerSecond, 0)) \(unit)s/s  "
      + "\(duration(secondsLeft)) left"
    if isTerminal {
      // A live line must not be longer than the terminal is wide.
      StandardOutput.print("\r\(text)\u{1B}[K", terminator: "")
      hasLiveLine = true
    } else {
      line("\(text)  \(split.milliseconds(steps: splitSteps))")
      (split, splitSteps) = (StepSplit(), 0)
    }
  }

  private func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    if whole >= 3600 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
    return whole >= 60 ? "\(whole / 60) min \(whole % 60) s" : "\(whole) s"
  }
}

extension StepSplit {
  /// The mean of `steps` steps, in milliseconds.
  fileprivate func milliseconds(steps: Int) -> String {
    let text = { (seconds: Double) in rounded(seconds * 1000 / Double(max(1, steps)), 1) }
    let parts = shareList.map { "\($0.name) \(text($0.seconds))" }.joined(separator: ", ")
    return "\(text(total)) ms: \(parts)"
  }

  /// The shares of the whole.
  fileprivate var shares: String {
    shareList.map { "\($0.name) \(rounded(100 * $0.seconds / max(total, .leastNormalMagnitude), 1)) %" }.joined(
      separator: ", ")
  }

  private var shareList: [(name: String, seconds: Double)] {
    [
      ("compute", compute), ("communication", communication), ("waiting", waiting), ("data", data),
      ("checkpoint", checkpoint),
    ]
  }
}

extension SlowRank {
  /// Of one that its sequences do not explain.
  fileprivate var complaint: String {
    "rank \(straggler.rank) on \(host) is \(rounded(100 * straggler.behind, 0)) % slower than the others and its share of "
      + "the batch explain, most in \(straggler.phase), for \(stepsInARow ?? 0) steps in a row"
  }

  fileprivate var text: String {
    let share =
      sequences > fewestSequences
      ? "; it has \(sequences) sequences of a batch, the rank with fewest \(fewestSequences)" : ""
    return "slowest is rank \(straggler.rank) on \(host), \(rounded(100 * straggler.behind, 0)) % behind, most in "
      + "\(straggler.phase)\(share)"
  }
}
