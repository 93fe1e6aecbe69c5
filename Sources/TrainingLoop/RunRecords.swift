import DataParallel
import Files
import Problems
import Runs
import Timing

/// What a training leaves in `metrics.jsonl`, on rank 0: a method for each kind of record, named as its `"event"`.
///
/// A record that cannot be written does not end the training, but for that of its end: the first one is reported, and
/// later ones are tried.
final class RunRecords {
  private let directory: RunDirectory
  private let configuration: String
  private let report: (TrainingReport) -> Void
  /// Nil before the first record, so that a run with nothing to do, or that cannot go on, changes nothing.
  private var log: MetricsLog?
  /// What stays when the log is opened: records through this step, and of so many rollbacks.
  private var kept = (step: 0, rollbacks: 0)
  private var hasLostRecords = false
  /// The last step that was not finite: why a rollback comes.
  private var finding: NonFiniteFinding?

  init(directory: RunDirectory, configuration: String, report: @escaping (TrainingReport) -> Void) {
    self.directory = directory
    self.configuration = configuration
    self.report = report
  }

  /// The run is where it was after a step, with so many rollbacks behind it: what is newer is dropped with the next
  /// record.
  func begin(after step: Int, rollbacks: Int) { (log, kept) = (nil, (step, rollbacks)) }

  // MARK: Records

  func step(_ step: Int, _ result: StepResult, _ split: StepSplit) throws {
    try append([
      "event": "step", "step": .integer(step), "trainLoss": .number(result.loss),
      "gradientNorm": .number(result.gradientNorm), "stepSeconds": .number(split.total),
      "computeSeconds": .number(split.compute), "communicationSeconds": .number(split.communication),
      "waitingSeconds": .number(split.waiting), "dataSeconds": .number(split.data),
      "checkpointSeconds": .number(split.checkpoint), "hiddenSeconds": .number(split.hidden),
      "learningRate": .number(result.learningRate),
    ])
  }

  /// Returns whether the record stands.
  func parameters(_ record: ParameterRecord) throws -> Bool { try append(record.json) }

  func straggler(step: Int, _ slow: SlowRank) throws {
    try append([
      "event": "straggler", "step": .integer(step), "rank": .integer(slow.straggler.rank), "host": .string(slow.host),
      "phase": .string("\(slow.straggler.phase)"), "behind": .number(slow.straggler.behind),
      "stepsInARow": slow.stepsInARow.map { .integer($0) } ?? nil,
    ])
  }

  func evaluated(step: Int, validationLoss: Double) throws {
    try append(["event": "evaluated", "step": .integer(step), "validationLoss": .number(validationLoss)])
  }

  func skipped(step: Int, inARow: Int) throws {
    try append(["event": "skipped", "step": .integer(step), "inARow": .integer(inARow)])
  }

  /// - Parameter dump: where it stands, nil for none.
  func nonFinite(_ finding: NonFiniteFinding, dump: String?) throws {
    self.finding = finding
    let members: [(key: String, value: JSON)] = [("event", "nonFinite"), ("step", .integer(finding.step))]
    try append(JSONRecord(members + finding.json + [("dump", dump.map { .string($0) } ?? nil)]))
  }

  func rolledBack(to step: Int, from last: Int, _ setbacks: Setbacks) throws {
    try append([
      "event": "rolledBack", "step": .integer(step), "from": .integer(last),
      "rollbacks": .integer(setbacks.rollbacks), "learningRateFactor": .number(setbacks.learningRateFactor),
      "because": finding.map { .string("\($0)") } ?? nil,
    ])
    finding = nil
  }

  /// Without this record a run has not finished: here alone an error is thrown.
  func finished(step: Int, trainLoss: Double?, validationLoss: Double?, parametersSHA256: String) throws {
    try write([
      "event": "finished", "step": .integer(step), "trainLoss": .number(trainLoss),
      "validationLoss": .number(validationLoss), "parametersSHA256": .string(parametersSHA256),
    ])
  }

  // MARK: Writing

  /// Returns whether the record stands.
  @discardableResult
  private func append(_ record: JSONRecord) throws -> Bool {
    do {
      try write(record)
      return true
    } catch let error as Problem {
      if !hasLostRecords { report(.recordLost(error)) }
      hasLostRecords = true
      return false
    }
  }

  private func write(_ record: JSONRecord) throws {
    let log = try self.log ?? open()
    self.log = log
    try log.append(record)
  }

  private func open() throws -> MetricsLog {
    try directory.writeConfiguration(configuration)
    return try MetricsLog(
      directory.metrics, of: directory.identity, keepingThrough: kept.step, rollbacks: kept.rollbacks)
  }
}
