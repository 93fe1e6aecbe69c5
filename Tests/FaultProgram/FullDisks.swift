import Foundation
import Runs
import TestSupport

/// A run on a file system of 1 MB, of which another file leaves less than the run needs: the job says so and ends with
/// exit code 74, or with a result where there is one; when there is room again it goes on from the newest checkpoint.
func fullDisks(_ trials: Trials) throws -> Row {
  var (trials, row) = (trials, Row("a file system of 1 MB that fills up"))
  let mount = trials.path("mount")
  try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
  for number in 0..<(trials.isLong ? 20 : 3) {
    let mounted = try Job(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount]).wait()
    guard mounted.exitCode == 0 else { return Row(row.kind, skippedBecause: "mounting is not allowed here") }
    defer { _ = try? Job(["umount", mount]).wait() }
    let (run, ballast) = ("\(mount)/run", "\(mount)/ballast")
    try Data(count: (1 << 20) - 4096 * (2 + trials.draws.below(120))).write(to: URL(filePath: ballast))
    let ending = try trials.training.train(run, ranks: 1 + number % 3)
    let directory = RunDirectory(path: run)
    let complete = try completeSteps(directory)
    row.saw("ended with exit code \(ending.exitCode)")
    var problems: [String] = []
    if ![0, 74].contains(ending.exitCode) { problems.append("expected exit code 74, got \(ending)") }
    if ending.exitCode == 0, complete.last != trials.training.steps { problems.append("exit code 0 without a result") }
    if ending.exitCode == 74, !ending.outcome.errors.contains("a full disk") {
      problems.append("the full disk was not named: \(ending)")
    }
    if complete.last ?? 0 < ending.lastSaved ?? 0 { problems.append("a saved checkpoint was lost: \(ending)") }
    if complete.count != ((try? directory.checkpointSteps()) ?? []).count { problems.append("a damaged one was left") }
    try FileManager.default.removeItem(atPath: ballast)
    // Records are lost where there is no room for them.
    problems += try trials.training.problemsOfFinishing(
      run, ranks: 2, notBefore: complete.last ?? 0, recordsAreWhole: false)
    row.add(problems)
  }
  return row
}
