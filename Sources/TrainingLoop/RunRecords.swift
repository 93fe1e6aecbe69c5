import DataParallel
import Problems
import Runs
import Timing

/// What a training leaves in `metrics.jsonl`, on rank 0: a method for each event, which makes its record.
///
/// A record that cannot be written does not end the training, but for that of its end: the first one is reported, and
/// later ones are tried.
package final class RunRecords {
  private let directory: RunDirectory
  private let configuration: String
  private let data: DataRecord?
  private let report: (TrainingReport) -> Void
  /// Nil before the first record, so that a run with nothing to do, or that cannot go on, changes nothing.
  private var log: MetricsLog?
  /// Where the run goes on: what stays when the log is opened.
  private var point = MetricsLog.ResumePoint.start
  private var hasLostRecords = false
  /// The last step that was not finite: why a rollback comes.
  private var finding: NonFiniteFinding?

  package init(
    directory: RunDirectory, configuration: String, data: DataRecord? = nil, report: @escaping (TrainingReport) -> Void
  ) {
    self.directory = directory
    self.configuration = configuration
    self.data = data
    self.report = report
  }

  /// The run goes on there: what is newer is dropped with the next record.
  package func begin(at point: MetricsLog.ResumePoint) { (log, self.point) = (nil, point) }

  // MARK: Records

  package func step(_ step: Int, _ result: StepResult, _ split: StepSplit) throws {
    try append(
      StepRecord(
        step: step, trainLoss: result.loss, gradientNorm: result.gradientNorm, learningRate: result.learningRate,
        seconds: StepRecord.Seconds(
          total: split.total, compute: split.compute, communication: split.communication, waiting: split.waiting,
          data: split.data, checkpoint: split.checkpoint, hidden: split.hidden)))
  }

  /// Returns whether the record stands.
  package func parameters(_ record: ParameterRecord) throws -> Bool { try append(record) }

  package func straggler(step: Int, _ slow: SlowRank) throws {
    try append(
      StragglerRecord(
        step: step, rank: slow.straggler.rank, host: slow.host, phase: "\(slow.straggler.phase)",
        behind: slow.straggler.behind, stepsInARow: slow.stepsInARow))
  }

  package func evaluated(step: Int, validationLoss: Double) throws {
    try append(EvaluatedRecord(step: step, validationLoss: validationLoss))
  }

  package func skipped(step: Int, inARow: Int) throws { try append(SkippedRecord(step: step, inARow: inARow)) }

  /// - Parameter dump: where it stands, nil for none.
  package func nonFinite(_ finding: NonFiniteFinding, dump: String?) throws {
    self.finding = finding
    try append(finding.record(dump: dump))
  }

  package func rolledBack(to step: Int, from last: Int, _ setbacks: Setbacks) throws {
    try append(
      RolledBackRecord(
        step: step, from: last, rollbacks: setbacks.rollbacks, learningRateFactor: setbacks.learningRateFactor,
        because: finding.map { "\($0)" }))
    finding = nil
  }

  /// Without this record a run has not finished: here alone an error is thrown.
  package func finished(step: Int, trainLoss: Double?, validationLoss: Double?, parametersSHA256: String) throws {
    try write(
      FinishedRecord(
        step: step, trainLoss: trainLoss, validationLoss: validationLoss, parametersSHA256: parametersSHA256))
  }

  // MARK: Writing

  /// Returns whether the record stands.
  @discardableResult
  private func append(_ record: some MetricsRecord) throws -> Bool {
    do {
      try write(record)
      return true
    } catch let error as Problem {
      if !hasLostRecords { report(.recordLost(error)) }
      hasLostRecords = true
      return false
    }
  }

  private func write(_ record: some MetricsRecord) throws {
    let log = try self.log ?? open()
    self.log = log
    try log.append(record.json)
  }

  private func open() throws -> MetricsLog {
    try directory.writeConfiguration(configuration)
    return try MetricsLog(directory.metrics, of: directory.identity, data: data, keeping: point)
  }
}
