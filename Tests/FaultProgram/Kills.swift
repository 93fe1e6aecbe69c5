import Foundation
import Glibc
import Runs
import TestSupport

/// kill -9 of a random rank or of mpirun at a random moment, every second time while a checkpoint is written: all ranks
/// must be gone within 10 seconds. The job is started again on another number of ranks, and killed again; after a few
/// kills it may finish.
func killedRanks(_ trials: Trials) throws -> Row {
  var (trials, row) = (trials, Row("kill -9 of a rank or of mpirun"))
  let count = trials.isLong ? 200 : 6
  var (number, slowest) = (0, 0.0)
  while row.trials < count {
    let run = trials.path("\(number)")
    number += 1
    var (kills, oldest) = ([[String]](), 0)
    while kills.count < min(4, count - row.trials), let problems = try kill(run, &trials, &row, &oldest, &slowest) {
      kills.append(problems)
    }
    if kills.isEmpty { continue }
    // What is wrong with the end is laid to the last kill.
    kills[kills.count - 1] += try trials.training.problemsOfFinishing(
      run, ranks: 1 + trials.draws.below(4), notBefore: oldest)
    for problems in kills { row.add(problems) }
    try FileManager.default.removeItem(atPath: run)
  }
  row.saw("s to the end of all ranks at most", times: Int(slowest.rounded(.up)))
  return row
}

/// One job and its kill: what is wrong with the state that it leaves, and with the start that came before it. Nil where
/// the job had finished before. `oldest` is the newest complete checkpoint that there is before and after.
private func kill(
  _ run: String, _ trials: inout Trials, _ row: inout Row, _ oldest: inout Int, _ slowest: inout Double
) throws -> [String]? {
  let directory = RunDirectory(path: run)
  let job = try Job(trials.training.command(run, ranks: 2 + trials.draws.below(3)))
  let isInside = trials.draws.below(2) == 0
  if isInside {
    // The first checkpoints are passed over, so that kills come in all parts of a run.
    usleep(UInt32(trials.draws.below(400_000)))
    wait(seconds: 3, everySeconds: 0.0002) { !job.isRunning || isWriting(directory) }
    usleep(UInt32(trials.draws.below(6000)))
  } else {
    usleep(UInt32(trials.draws.below(1_500_000)))
  }
  let victims = [job.processIdentifier] + job.children
  let victim = victims[trials.draws.below(victims.count)]
  if job.isRunning { Glibc.kill(victim, SIGKILL) }
  let killed = Date()
  let areGone = wait(seconds: 10, everySeconds: 0.1) { processes(with: run).allSatisfy { $0 == job.processIdentifier } }
  let seconds = Date().timeIntervalSince(killed)
  let ending = Ending(try job.wait(timeoutSeconds: 20))
  let left = orphans(of: run)
  if ending.exitCode == 0 { return nil }
  slowest = max(slowest, seconds)
  row.saw(victim == job.processIdentifier ? "of mpirun" : "of a rank")
  if isWriting(directory) { row.saw("inside a checkpoint") }

  var problems = ending.problemsOfResuming(notBefore: oldest)
  if !areGone { problems.append("ranks were there after 10 s") }
  if !left.isEmpty { problems.append("\(left.count) processes outlived their job") }
  if ending.outcome.launcherHung {
    row.saw("of an mpirun that hung without a rank")
  } else if ending.outcome.timedOut {
    problems.append("the job did not end: \(ending)")
  }
  let complete = try completeSteps(directory)
  if let saved = ending.lastSaved, saved > complete.last ?? 0 {
    problems.append("step \(saved) was saved, but the newest complete checkpoint is \(complete.last ?? 0)")
  }
  oldest = max(oldest, complete.last ?? 0, ending.lastSaved ?? 0)
  return problems
}

/// Whether a checkpoint is being written, or was when its job was killed.
func isWriting(_ run: RunDirectory) -> Bool {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: run.checkpointsPath)) ?? []
  return names.contains { $0.hasPrefix(".") }
}

/// The steps whose checkpoints are whole.
func completeSteps(_ run: RunDirectory) throws -> [Int] {
  guard FileManager.default.fileExists(atPath: run.checkpointsPath) else { return [] }
  return try run.checkpointSteps().filter { (try? run.checkpoint(step: $0)) != nil }
}
