import Foundation
import Glibc
import Runs
import TestSupport

/// The training thread of a random rank is held at a random moment, as in a file system that does not answer, while the
/// thread of its heartbeat goes on: the job ends with exit code 77 when a rank has entered no new phase for ten times
/// the limit, and goes on when it is started again. The rank is named where it is behind the others; of ranks that are
/// equally far the message names the first.
func stuckRanks(_ trials: Trials) throws -> Row {
  var (trials, row) = (trials, Row("a training thread that is stuck, watchdog 1 s"))
  guard let strace = try Strace() else { return Row(row.kind, skippedBecause: "no strace that may trace") }
  let count = trials.isLong ? 20 : 2
  let training = try TinyTraining(folder: trials.training.folder, steps: 400)
  var (number, slowest) = (0, 0.0)
  while row.trials < count {
    let run = trials.path("\(number)")
    number += 1
    let job = try Job(training.command(run, ranks: 2 + number % 2, ["--set", "watchdog.seconds=1"]))
    let directory = RunDirectory(path: run)
    wait(seconds: 20) { !job.isRunning || FileManager.default.fileExists(atPath: directory.metricsPath) }
    usleep(UInt32(trials.draws.below(300_000)))
    let ranks = job.children
    // Of its threads the first one trains.
    guard let victim = ranks.isEmpty ? nil : ranks[trials.draws.below(ranks.count)], let rank = rank(ofProcess: victim)
    else { continue }
    let holder = try Job(strace.holding(thread: victim))
    let start = Date()
    wait(seconds: 40) { !job.isRunning || job.children == [victim] }
    kill(holder.processIdentifier, SIGKILL)
    _ = try holder.wait()
    let ending = Ending(try job.wait())
    // It had done its part before it was held.
    if ending.exitCode == 0 { continue }
    let seconds = Date().timeIntervalSince(start)
    slowest = max(slowest, seconds)
    var problems: [String] = []
    if ending.outcome.jobExitCode != 77 { problems.append("expected exit code 77, got \(ending)") }
    let message = "error: a rank makes no progress — expected a new phase within 10 s, got none from rank "
    // While the job is being ended another rank may find that one silent.
    if !ending.outcome.errors.contains(message) { problems.append("no message of it: \(ending)") }
    row.saw(ending.outcome.errors.contains("\(message)\(rank) on host ") ? "named" : "of which one as far was named")
    if seconds < 9 { problems.append("ended after \(seconds) s") }
    if !orphans(of: run).isEmpty { problems.append("processes outlived their job") }
    let complete = try completeSteps(directory).last ?? 0
    problems += try training.problemsOfFinishing(run, ranks: 2, notBefore: max(complete, ending.lastSaved ?? 0))
    row.add(problems)
  }
  row.saw("s to the end of the job at most", times: Int(slowest.rounded(.up)))
  return row
}
