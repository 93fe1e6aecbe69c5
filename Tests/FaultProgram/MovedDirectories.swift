import Foundation
import Runs
import TestSupport

/// A job trains, and at a random moment its directory is renamed, removed, or replaced by that of another run, which a
/// second job goes on with. The first job must go on in its own directory or end with exit code 74, and no directory
/// may hold a checkpoint of another run.
func movedDirectories(_ trials: Trials) throws -> Row {
  var (trials, row) = (trials, Row("directories renamed, removed, replaced"))
  let other = trials.path("other")
  let begun = try TinyTraining(folder: trials.training.folder, steps: 40)
  for number in 0..<(trials.isLong ? 200 : 6) {
    let move = Move(run: trials.path("\(number)"), fate: Fate.allCases[number % 3])
    if move.fate == .replaced {
      try? FileManager.default.removeItem(atPath: other)
      try FileManager.default.copyItem(atPath: begun.undisturbed, toPath: other)
    }
    row.add(try move.problems(&trials, &row, other: other).map { "\(move.fate): \($0)" })
    for path in [move.run, move.moved] { try? FileManager.default.removeItem(atPath: path) }
  }
  return row
}

private enum Fate: CaseIterable { case renamed, removed, replaced }

private struct Move {
  let run: String
  let fate: Fate
  var moved: String { run + "-moved" }

  /// One job and what becomes of its directory: what is wrong with how both end.
  func problems(_ trials: inout Trials, _ row: inout Row, other: String) throws -> [String] {
    let training = trials.training
    let job = try Job(training.command(run, ranks: 1 + trials.draws.below(3)))
    wait(seconds: 20) { !job.isRunning || FileManager.default.fileExists(atPath: RunDirectory(path: run).metricsPath) }
    usleep(UInt32(trials.draws.below(700_000)))
    let wasRunning = job.isRunning
    var problems: [String] = []
    switch fate {
    case .renamed: try FileManager.default.moveItem(atPath: run, toPath: moved)
    case .removed:
      // Files that are being written come back while it is removed; and the job removes what it made where it is empty.
      let isGone = wait(seconds: 20, everySeconds: 0.001) {
        try? FileManager.default.removeItem(atPath: run)
        return !FileManager.default.fileExists(atPath: run)
      }
      if !isGone { problems.append("the directory could not be removed") }
    case .replaced:
      try FileManager.default.moveItem(atPath: run, toPath: moved)
      try FileManager.default.moveItem(atPath: other, toPath: run)
    }
    if wasRunning { row.saw("\(fate) while a job ran") }
    if fate == .replaced {
      let second = try training.train(run, ranks: 1 + trials.draws.below(2))
      if second.exitCode != 0 { problems.append("the second job did not finish: \(second)") }
      problems += try training.problemsOfResult(run)
    }
    let ending = Ending(try job.wait(timeoutSeconds: 60))
    if fate == .removed {
      problems += problemsOfRemoval(ending, wasRunning: wasRunning)
    } else {
      if ending.exitCode != 0 { problems.append("did not finish: \(ending)") }
      problems += try training.problemsOfResult(moved)
    }
    return problems + (try [run, moved].flatMap(foreigners))
  }

  private func problemsOfRemoval(_ ending: Ending, wasRunning: Bool) -> [String] {
    var problems: [String] = []
    // It may have come to its end in the last moment.
    if ![0, 74].contains(ending.exitCode) { problems.append("expected exit code 74, got \(ending)") }
    if ending.exitCode == 74, !ending.outcome.errors.contains("error: ") { problems.append("no error: \(ending)") }
    if FileManager.default.fileExists(atPath: run) { problems.append("the directory was made again: \(ending)") }
    return problems
  }

  private struct Named: Decodable { let run: String }

  /// The checkpoints of a directory, if it is there, that name another run than its own.
  private func foreigners(_ path: String) throws -> [String] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    func name(_ file: String) throws -> String {
      try JSONDecoder().decode(Named.self, from: Data(contentsOf: URL(filePath: file))).run
    }
    let own = try name("\(path)/run.json")
    return try RunDirectory(path: path).checkpointSteps().compactMap { step in
      let place = RunDirectory(path: path).checkpointPath(step: step)
      return try name("\(place)/manifest.json") == own ? nil : "\(place) is of another run"
    }
  }
}
