import Checkpoints
import DataParallel
@preconcurrency import Glibc
import MPI

/// Shows progress on rank 0: one line that is rewritten on a terminal, plain lines now and then elsewhere.
final class Console {
  private let isTerminal = Console.outputIsTerminal()
  private var shownSeconds = -Double.infinity
  private var hasLiveLine = false

  /// Seconds between two updates of a live line, and between two plain lines.
  private var interval: Double { isTerminal ? 0.1 : 10 }

  /// Under mpirun a rank's output is a pseudo-terminal even where mpirun's own output is a file, so mpirun's is looked at.
  private static func outputIsTerminal() -> Bool {
    guard isatty(STDOUT_FILENO) == 1 else { return false }
    guard getenv("OMPI_COMM_WORLD_SIZE") != nil else { return true }
    var target = [CChar](repeating: 0, count: 256)
    let length = readlink("/proc/\(getppid())/fd/1", &target, target.count - 1)
    guard length > 0 else { return false }
    let path = String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return path.hasPrefix("/dev/pts/") || path.hasPrefix("/dev/tty")
  }

  /// Prints a line that stays.
  func line(_ text: String) {
    if hasLiveLine { print("\r\u{1B}[K", terminator: "") }
    hasLiveLine = false
    print(text)
    fflush(stdout)
  }

  /// Shows what the trainer says.
  func show(_ report: TrainingReport) {
    switch report {
    case .step(let step, let total, let result, let tokensPerSecond, let secondsLeft):
      showStep(step, total, result, tokensPerSecond, secondsLeft)
    case .evaluated(let step, let loss):
      line("step \(step)  validation loss \(rounded(loss, 4)) nats a token")
    case .saved(_, let path):
      line("checkpoint \(path)")
    case .recordLost(let error):
      tell("warning: a record of the metrics is lost, training goes on: \(error.message)", hint: error.hint)
    case .notice(let notice):
      show(notice)
    case .finished(let step, let trainLoss, _, let sha256):
      line("finished at step \(step), training loss \(rounded(trainLoss, 4)); parameters SHA-256 \(sha256)")
    }
  }

  private func show(_ notice: Coordinator.Report) {
    switch notice {
    case .alreadyFinished, .stoppedOnRequest: line("\(notice)")
    case .checkpointFailed(_, let error, goesOn: true): tell("warning: \(notice)", hint: error.hint)
    case .checkpointFailed(_, let error, goesOn: false): tell("error: \(notice)", hint: error.hint)
    case .diverged:
      tell(
        "error: \(notice) — expected finite numbers",
        hint: "lower optimizer.learningRate, or limit gradients with optimizer.clip")
    case .unexpected: tell("error: \(notice)", hint: nil)
    }
  }

  /// A warning or error, on stderr.
  private func tell(_ text: String, hint: String?) {
    if hasLiveLine { print("\r\u{1B}[K", terminator: "") }
    hasLiveLine = false
    fflush(stdout)
    printError(text + (hint.map { "\nhint: \($0)" } ?? ""))
  }

  private func showStep(
    _ step: Int, _ total: Int, _ result: StepResult, _ tokensPerSecond: Double, _ secondsLeft: Double
  ) {
    let now = World.wallTimeSeconds()
    guard step == total || now - shownSeconds >= interval else { return }
    shownSeconds = now
    let text =
      "step \(step)/\(total)  loss \(rounded(result.loss, 4))  \(rounded(tokensPerSecond, 0)) tokens/s  "
      + "\(duration(secondsLeft)) left"
    if isTerminal {
      print("\r\(text)\u{1B}[K", terminator: "")
      fflush(stdout)
      hasLiveLine = true
    } else {
      line(text)
    }
  }

  private func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    if whole >= 3600 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
    return whole >= 60 ? "\(whole / 60) min \(whole % 60) s" : "\(whole) s"
  }
}
