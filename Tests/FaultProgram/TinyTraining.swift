import ExactMath
import Foundation
import Runs
import TestSupport

/// What a row needs to make its trials.
struct Trials {
  let training: TinyTraining
  let isLong: Bool
  let fuzzProgram: String
  let seed: UInt64
  var draws: PhiloxSequence
  private let row: Int

  init(_ training: TinyTraining, isLong: Bool, fuzzProgram: String?, seed: UInt64, row: Int) {
    (self.training, self.isLong, self.seed, self.row) = (training, isLong, seed, row)
    self.fuzzProgram = fuzzProgram ?? Launcher.builtExecutable("fuzz-program").path
    draws = PhiloxSequence(seed: seed, purpose: .sampling, step: row)
  }

  /// A run that no other row has.
  func path(_ name: String) -> String { "\(training.folder)/row-\(row)-\(name)" }
}

/// A training of the Reber grammar in some tenths of a second, most of which goes into checkpoints, unless other
/// settings make it longer.
struct TinyTraining {
  static let checkpointEvery = 4
  private static let configuration = """
    data: {trainingStrings: 64, heldOutStrings: 8}
    model: {embedding: 4, hidden: 8, dropout: 0.2}
    batch: {sequences: 9, steps: 16}
    training: {evaluateEvery: 0, checkpointEvery: \(checkpointEvery)}
    """

  /// Steps to the end.
  let steps: Int

  let folder: String
  /// Values of the configuration beside the file's.
  let settings: [String]
  /// The parameters at the end, with which every disturbed run must end too.
  let hash: String
  /// A finished run that nothing has disturbed.
  let undisturbed: String

  init(folder: String, steps: Int = 120, settings: [String] = []) throws {
    (self.folder, self.steps, self.settings) = (folder, steps, settings)
    undisturbed = "\(folder)/undisturbed-\(steps)-\(settings.joined(separator: "-"))"
    try Data(Self.configuration.utf8).write(to: URL(filePath: "\(folder)/tiny.yaml"))
    let outcome = try Job(Self.command(folder, undisturbed, steps, settings, ranks: nil)).wait()
    guard outcome.exitCode == 0, let hash = try Self.records(undisturbed).last?.parametersSHA256 else {
      throw Problem("the undisturbed training failed: \(outcome)")
    }
    self.hash = hash
  }

  /// The command that trains a run or goes on with it, on so many ranks or without a launcher; each rank is started by
  /// `starter`.
  func command(_ run: String, ranks: Int?, _ arguments: [String] = [], starter: [String] = []) -> [String] {
    Self.command(folder, run, steps, settings, ranks: ranks, starter) + arguments
  }

  private static func command(
    _ folder: String, _ run: String, _ steps: Int, _ settings: [String], ranks: Int?, _ starter: [String] = []
  ) -> [String] {
    let launcher = ranks.map { ["mpirun", "--oversubscribe", "--timeout", "120", "-np", "\($0)"] } ?? []
    // What Open MPI leaves behind when it is killed must not stand in the way of later jobs on this machine.
    return ["env", "OMPI_MCA_orte_tmpdir_base=\(folder)"] + launcher + starter + [
      Launcher.builtExecutable("lstm-dist").path, "train", "--config", "\(folder)/tiny.yaml", "--run", run,
      "--steps", "\(steps)",
    ] + settings.flatMap { ["--set", $0] }
  }

  /// Runs the command to its end.
  func train(_ run: String, ranks: Int?, _ arguments: [String] = []) throws -> Ending {
    // On a busy machine it takes its time: mpirun's own limit is 120 seconds.
    Ending(try Job(command(run, ranks: ranks, arguments)).wait(timeoutSeconds: 135))
  }

  /// Goes on with a run to its end: what is wrong with where it began, its result, and its records.
  func problemsOfFinishing(_ run: String, ranks: Int?, notBefore oldest: Int, recordsAreWhole: Bool = true) throws
    -> [String]
  {
    let ending = try train(run, ranks: ranks)
    var problems = ending.problemsOfResuming(notBefore: oldest)
    if ending.exitCode != 0 { problems.append("did not finish: \(ending)") }
    return problems + (try problemsOfResult(run, recordsAreWhole: recordsAreWhole))
  }

  /// What is wrong with a run that has finished.
  func problemsOfResult(_ run: String, recordsAreWhole: Bool = true) throws -> [String] {
    let records = try Self.records(run)
    var problems: [String] = []
    if records.last?.parametersSHA256 != hash { problems.append("ended with other parameters than undisturbed") }
    if recordsAreWhole, try recordedSteps(run) != Array(1...steps) {
      problems.append("the records are not those of steps 1 to \(steps)")
    }
    return problems
  }

  /// The steps of which a run has records, in their order.
  func recordedSteps(_ run: String) throws -> [Int] {
    guard FileManager.default.fileExists(atPath: RunDirectory(path: run).metricsPath) else { return [] }
    return try Self.records(run).filter { $0.event == "step" }.map(\.step)
  }

  /// How long a step takes on one rank.
  func medianStepSeconds() throws -> Double {
    let seconds = try Self.records(undisturbed).compactMap(\.stepSeconds).sorted()
    return seconds[seconds.count / 2]
  }

  private struct Record: Decodable {
    let event: String
    let step: Int
    let parametersSHA256: String?
    let stepSeconds: Double?
  }

  private static func records(_ run: String) throws -> [Record] {
    try String(contentsOfFile: RunDirectory(path: run).metricsPath, encoding: .utf8).split(separator: "\n")
      .map { try JSONDecoder().decode(Record.self, from: Data($0.utf8)) }
  }
}

/// Something that no trial can go on after.
struct Problem: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// What a job said until its end.
struct Ending: CustomStringConvertible {
  let outcome: Outcome
  /// The step after which it went on: 0 where it began anew, nil where it ended before it said so.
  let beganAfter: Int?
  /// The step after which it said that it stopped.
  let stoppedAfter: Int?
  /// The last step of which it said that a checkpoint stands.
  let lastSaved: Int?
  /// Whether it said that the run is complete; then INT and TERM have their usual effect again.
  let hasFinished: Bool
  var exitCode: Int32 { outcome.exitCode }
  var description: String { outcome.description }

  init(_ outcome: Outcome) {
    self.outcome = outcome
    func number(_ line: Substring, after marker: String) -> Int? {
      line.range(of: marker).flatMap { Int(line[$0.upperBound...].prefix { $0.isNumber }) }
    }
    let lines = outcome.output.split(whereSeparator: \.isNewline)
    beganAfter =
      lines.contains { $0.hasPrefix("run directory: ") }
      ? 0 : lines.first { $0.hasPrefix("resuming ") }.flatMap { number($0, after: " after step ") }
    stoppedAfter = lines.last { $0.hasPrefix("stopped after step ") }.flatMap { number($0, after: " step ") }
    lastSaved = lines.last { $0.hasPrefix("checkpoint /") }.flatMap { number($0, after: "/step-") }
    hasFinished = lines.contains { $0.hasPrefix("finished at step ") }
  }

  /// A job must go on from this step or a later one, and find nothing damaged.
  func problemsOfResuming(notBefore oldest: Int) -> [String] {
    var problems: [String] = []
    if let beganAfter, beganAfter < oldest {
      problems.append("went on after step \(beganAfter), but step \(oldest) was complete")
    }
    if outcome.errors.contains("damaged") { problems.append("found a damaged checkpoint: \(outcome.errors)") }
    return problems
  }
}
