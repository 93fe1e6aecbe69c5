import Foundation
import Glibc
import Runs
import TestSupport

/// SIGSTOP of a random rank at a random moment: the job ends with exit code 77, names the rank, and goes on when it is
/// started again.
func stoppedRanks(_ trials: Trials) throws -> Row {
  var (trials, row) = (trials, Row("SIGSTOP of a rank, watchdog 3 s"))
  let count = trials.isLong ? 20 : 2
  var (number, slowest) = (0, 0.0)
  while row.trials < count {
    let run = trials.path("\(number)")
    number += 1
    let job = try Job(
      trials.training.command(run, ranks: 2 + trials.draws.below(3), ["--set", "watchdog.seconds=3"]))
    let directory = RunDirectory(path: run)
    wait(seconds: 20) { !job.isRunning || FileManager.default.fileExists(atPath: directory.metricsPath) }
    usleep(UInt32(trials.draws.below(300_000)))
    let ranks = job.children
    guard let victim = ranks.isEmpty ? nil : ranks[trials.draws.below(ranks.count)], let rank = rank(ofProcess: victim),
      kill(victim, SIGSTOP) == 0
    else { continue }
    let start = Date()
    // One that is stopped in the last moment of its process keeps nobody waiting but mpirun.
    wait(seconds: 40, until: { !job.isRunning || job.children == [victim] })
    if job.isRunning { kill(victim, SIGCONT) }
    let ending = Ending(try job.wait())
    // It had done its part before it was stopped.
    if ending.exitCode == 0 { continue }
    slowest = max(slowest, Date().timeIntervalSince(start))
    var problems: [String] = []
    if ending.outcome.jobExitCode != 77 { problems.append("expected exit code 77, got \(ending)") }
    if !ending.outcome.errors.contains("from rank \(rank) on host ") {
      problems.append("rank \(rank) expected: \(ending)")
    }
    if !orphans(of: run).isEmpty { problems.append("processes outlived their job") }
    let complete = try completeSteps(directory).last ?? 0
    problems += try trials.training.problemsOfFinishing(run, ranks: 2, notBefore: max(complete, ending.lastSaved ?? 0))
    row.add(problems)
  }
  row.saw("s to the end of the job at most", times: Int(slowest.rounded(.up)))
  return row
}
