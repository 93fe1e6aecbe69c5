import Foundation
import Glibc
import Runs
import TestSupport

/// Ctrl-C to mpirun at a random moment in a training whose steps take seconds, far more than mpirun leaves to its ranks:
/// the last completed step must have a checkpoint, so that at most the step under way is computed again, and the
/// parameters at the end must be those of an undisturbed training.
func interruptedSteps(_ trials: Trials) throws -> Row {
  var (trials, row) = (trials, Row("Ctrl-C to mpirun in the middle of a step"))
  let training = try TinyTraining(
    folder: trials.training.folder, steps: 4,
    settings: trials.isLong
      ? ["model.hidden=1000", "batch.sequences=96", "batch.steps=96"]
      : ["model.hidden=500", "batch.sequences=128", "batch.steps=80"])
  let stepSeconds = try training.medianStepSeconds()
  row.saw("ms a step", times: Int(1000 * stepSeconds))
  let count = trials.isLong ? 50 : 3
  var (run, saved, runs, number) = (trials.path("0"), 0, 1, 0)
  while row.trials < count {
    let ranks = 1 + number % 3
    number += 1
    let job = try Job(training.command(run, ranks: ranks))
    wait(seconds: 60) {
      !job.isRunning || FileManager.default.fileExists(atPath: RunDirectory(path: run).heartbeatPath)
    }
    usleep(UInt32(trials.draws.below(Int(2.5e6 * stepSeconds * Double(max(1, ranks - 1))))))
    let isStopped = job.isRunning && !job.children.isEmpty && kill(job.processIdentifier, SIGINT) == 0
    let ending = Ending(try job.wait(timeoutSeconds: 120))
    var problems = ending.problemsOfResuming(notBefore: saved)
    if isStopped, ending.exitCode != 0, ending.beganAfter == nil {
      row.saw("before the first step")
      continue
    }
    if isStopped, ending.exitCode != 0 {
      let steps = try completeSteps(RunDirectory(path: run))
      let recorded = try training.recordedSteps(run).last ?? 0
      if steps.last ?? 0 < max(saved, recorded) {
        problems.append("step \(max(saved, recorded)) was done, but the checkpoints are \(steps): \(ending)")
      }
      if steps.last == nil { problems.append("nothing was saved: \(ending)") }
      if !orphans(of: run).isEmpty { problems.append("processes outlived their job") }
      saved = steps.last ?? 0
      row.saw("on \(ranks) rank\(ranks == 1 ? "" : "s")")
      row.add(problems)
      continue
    }
    // Too late: the run has come to its end, after the interrupts that it had.
    problems += ending.exitCode == 0 ? try training.problemsOfResult(run) : ["ended otherwise: \(ending)"]
    if !problems.isEmpty { row.add(problems) }
    (run, saved, runs) = (trials.path("\(runs)"), 0, runs + 1)
  }
  if saved > 0 { row.add(try training.problemsOfFinishing(run, ranks: 2, notBefore: saved)) }
  return row
}
