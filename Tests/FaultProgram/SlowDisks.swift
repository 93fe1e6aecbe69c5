import Foundation
import Glibc
import Runs
import TestSupport

/// A disk whose every fsync takes long, in one trial so long that a checkpoint takes more than the time in which a rank
/// must make progress: training ends with the same bits, and no rank is declared lost. A job that is told to stop while
/// the disk is busy saves its last completed step; one that is killed then loses no checkpoint that it had.
func slowDisks(_ trials: Trials) throws -> Row {
  var (trials, row) = (trials, Row("a disk whose fsync takes 0.3 s or longer"))
  guard let strace = try Strace() else { return Row(row.kind, skippedBecause: "no strace that may trace") }
  let every = TinyTraining.checkpointEvery
  let (short, long) = try (
    TinyTraining(folder: trials.training.folder, steps: 2 * every),
    TinyTraining(folder: trials.training.folder, steps: 20 * every)
  )
  let ends: [SlowTrial.End] = [.itself, .signalToLauncher, .signalToRank, .kill]
  for repetition in 0..<(trials.isLong ? 10 : 1) {
    for (number, end) in ends.enumerated() {
      for ranks in [1, 3] where trials.isLong || end == .itself || (number % 2 == 0) == (ranks == 1) {
        let isSlowest = end == .itself && ranks == 3
        let trial = SlowTrial(
          training: end == .itself ? short : long, run: trials.path("\(repetition)-\(number)-\(ranks)"), ranks: ranks,
          end: end,
          milliseconds: isSlowest ? 1500 : 300,
          // A disk that is busy with other work was seen to take ten seconds for one call.
          watchdogSeconds: isSlowest ? 1 : 5, pauseMilliseconds: trials.draws.below(1500))
        row.add(try trial.problems(strace).map { "\(end) on \(ranks) ranks: \($0)" })
        row.saw(end.rawValue)
      }
    }
  }
  return row
}

/// One job on a slow disk.
private struct SlowTrial {
  enum End: String {
    case itself = "undisturbed"
    case signalToLauncher = "SIGUSR2 to mpirun"
    case signalToRank = "SIGTERM to a rank"
    case kill = "kill -9 of rank 0"
  }

  let training: TinyTraining
  let run: String
  let ranks: Int
  let end: End
  /// What an fsync takes.
  let milliseconds: Int
  let watchdogSeconds: Int
  /// From the first complete checkpoint to the signal.
  let pauseMilliseconds: Int

  func problems(_ strace: Strace) throws -> [String] {
    let directory = RunDirectory(path: run)
    let start = Date()
    let command = training.command(
      run, ranks: ranks, ["--set", "watchdog.seconds=\(watchdogSeconds)"],
      starter: strace.slowing(milliseconds: milliseconds))
    let job = try Job(command)
    if end != .itself {
      wait(seconds: 60) { !job.isRunning || ((try? completeSteps(directory)) ?? []).isEmpty == false }
      usleep(UInt32(1000 * pauseMilliseconds))
      wait(seconds: 10) { !job.isRunning || isWriting(directory) }
      signal(job)
    }
    let ending = Ending(try job.wait(timeoutSeconds: 120))
    let seconds = Date().timeIntervalSince(start)
    let complete = try completeSteps(directory)
    var problems = ending.problemsOfResuming(notBefore: 0)
    if ending.exitCode != expectedExitCode { problems.append("expected exit code \(expectedExitCode), got \(ending)") }
    switch end {
    case .itself:
      // Two checkpoints of eight calls each.
      if seconds < 0.016 * Double(milliseconds) { problems.append("the disk was not slow: \(seconds) s") }
      if complete.last != training.steps { problems.append("the last step has no checkpoint: \(complete)") }
    case .signalToLauncher, .signalToRank:
      if ending.stoppedAfter == nil || complete.last != ending.stoppedAfter {
        problems.append("the checkpoints are \(complete): \(ending)")
      }
      let recorded = try training.recordedSteps(run).last
      if recorded != ending.stoppedAfter { problems.append("step \(recorded ?? 0) was done: \(ending)") }
    case .kill:
      if try directory.checkpointSteps() != complete { problems.append("a damaged checkpoint was left") }
      if complete.last ?? 0 < max(TinyTraining.checkpointEvery, ending.lastSaved ?? 0) {
        problems.append("the checkpoint before was lost: \(complete)")
      }
    }
    if !orphans(of: run).isEmpty { problems.append("processes outlived their job") }
    problems += try training.problemsOfFinishing(run, ranks: 2, notBefore: complete.last ?? 0)
    let verified = try Job([Launcher.builtExecutable("lstm-dist").path, "verify", run]).wait()
    if verified.exitCode != 0 { problems.append("cannot be verified: \(verified)") }
    return problems
  }

  private var expectedExitCode: Int32 {
    switch end {
    case .itself: 0
    case .signalToLauncher, .signalToRank: 75
    case .kill: 128 + SIGKILL
    }
  }

  private func signal(_ job: Job) {
    let ranks = job.children.filter { rank(ofProcess: $0) != nil }
    guard job.isRunning, let first = ranks.first else { return }
    switch end {
    case .itself: break
    case .signalToLauncher: kill(job.processIdentifier, SIGUSR2)
    case .signalToRank: kill(ranks.last!, SIGTERM)
    case .kill: kill(ranks.first { rank(ofProcess: $0) == 0 } ?? first, SIGKILL)
    }
  }
}
