import Foundation
import Glibc
import Runs
import TestSupport

/// A job is told to stop at a random moment, and goes on with another number of ranks. Where a run ends before its
/// time, the next one begins.
func preemptions(_ trials: Trials) throws -> Row {
  var (trials, row) = (trials, Row("preemption, 4 → 2 → 3 → 1 → 4 ranks"))
  let ranks = [4, 2, 3, 1]
  var (run, oldest, runs) = (trials.path("0"), 0, 1)
  let count = trials.isLong ? 20 : 4
  var number = 0
  while row.trials < count {
    defer { number += 1 }
    let job = try Job(trials.training.command(run, ranks: ranks[number % ranks.count]))
    // Handlers of signals go in at a process's first moment, but mpirun can pass one on before that.
    let heartbeat = RunDirectory(path: run).heartbeatPath
    wait(seconds: 20) { !job.isRunning || FileManager.default.fileExists(atPath: heartbeat) }
    usleep(UInt32(trials.draws.below(300_000)))
    let processes = job.children
    if !job.isRunning || processes.isEmpty {
      // Too late: the process id may be another's by now, and an mpirun whose ranks are gone dies of a signal.
    } else if trials.draws.below(2) == 0 {
      kill(job.processIdentifier, SIGUSR1)
    } else {
      kill(processes[trials.draws.below(processes.count)], SIGTERM)
    }
    let ending = Ending(try job.wait())
    if ending.hasFinished || ending.exitCode == 0 {
      // Too late: the run has come to its end, after the preemptions that it had.
      var problems = ending.problemsOfResuming(notBefore: oldest) + (try trials.training.problemsOfResult(run))
      if ![0, 128 + SIGTERM].contains(ending.exitCode) { problems.append("a finished run ended otherwise: \(ending)") }
      if !problems.isEmpty { row.add(problems) }
      (run, oldest, runs) = (trials.path("\(runs)"), 0, runs + 1)
      continue
    }
    var problems = ending.problemsOfResuming(notBefore: oldest)
    if ending.exitCode != 75 { problems.append("expected exit code 75, got \(ending)") }
    if ending.beganAfter == nil {
      // The signal came before the run began: there was nothing to save.
      row.saw("before the first step")
      row.add(problems)
      continue
    }
    oldest = try completeSteps(RunDirectory(path: run)).last ?? 0
    if oldest != ending.stoppedAfter { problems.append("no checkpoint of the step it stopped at: \(ending)") }
    row.saw("on \(ranks[number % ranks.count]) ranks")
    if !orphans(of: run).isEmpty { problems.append("processes outlived their job") }
    row.add(problems)
  }
  row.add(try trials.training.problemsOfFinishing(run, ranks: 4, notBefore: oldest))
  return row
}
