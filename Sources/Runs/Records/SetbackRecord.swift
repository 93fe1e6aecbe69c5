import Files

/// A step whose loss or gradient was not finite, where the run went on.
package enum SetbackRecord: Equatable, Sendable, CustomStringConvertible {
  case skipped(SkippedRecord)
  case rolledBack(RolledBackRecord)

  /// The record's step.
  package var step: Int {
    switch self {
    case .skipped(let record): record.step
    case .rolledBack(let record): record.step
    }
  }

  /// One sentence for the user.
  package var description: String {
    switch self {
    case .skipped(let record): "step \(record.step) was skipped, as its loss or gradient was not finite"
    case .rolledBack(let record):
      "after step \(record.step) the learning rate is multiplied by \(record.learningRateFactor) "
        + "(rollback \(record.rollbacks))"
    }
  }

  /// The records of a metrics file in their order; none where there is no file.
  package static func read(_ metrics: Place) throws -> [SetbackRecord] {
    var records: [SetbackRecord] = []
    try MetricsLog.forEachRecord(metrics, events: [.skipped, .rolledBack], what: "record of a setback") {
      line, event, _ in
      records.append(
        event == .skipped ? .skipped(try SkippedRecord(line)) : .rolledBack(try RolledBackRecord(line)))
    }
    return records
  }
}
