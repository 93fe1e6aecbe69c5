import Files

/// What `metrics.jsonl` holds of steps whose loss or gradient was not finite, where the run went on:
///
///     {"event":"skipped","step":40,…}
///     {"event":"rolledBack","step":40,"from":53,"rollbacks":1,"learningRateFactor":0.5,…}
package enum SetbackRecord: Equatable, Sendable, CustomStringConvertible {
  /// The step changed no parameter.
  case skipped(step: Int)
  /// The run went on after this step with so many rollbacks behind it, and the learning rate multiplied by this factor.
  case rolledBack(step: Int, rollbacks: Int, learningRateFactor: Double)

  /// The record's step.
  package var step: Int {
    switch self {
    case .skipped(let step), .rolledBack(let step, _, _): step
    }
  }

  /// One sentence for the user.
  package var description: String {
    switch self {
    case .skipped(let step): "step \(step) was skipped, as its loss or gradient was not finite"
    case .rolledBack(let step, let rollbacks, let factor):
      "after step \(step) the learning rate is multiplied by \(factor) (rollback \(rollbacks))"
    }
  }

  /// The records of a metrics file in their order; none where there is no file.
  package static func read(_ metrics: Place) throws -> [SetbackRecord] {
    var records: [SetbackRecord] = []
    try MetricsLog.forEachRecord(metrics, events: ["skipped", "rolledBack"], what: "record of a setback") {
      line, event, _ in
      records.append(try SetbackRecord(line, event: event))
    }
    return records
  }

  private init(_ line: JSONReader, event: String) throws {
    var reader = line
    var counts: [String: Int] = [:]
    var factor: Double?
    try reader.object { reader, key in
      switch key {
      case "step", "rollbacks":
        let count = try reader.integer(Int.self)
        guard count >= 0 else { throw reader.failure("0 or more", got: "\(count)") }
        counts[key] = count
      case "learningRateFactor":
        let number = try reader.double()
        guard number > 0, number <= 1 else { throw reader.failure("a factor in (0, 1]", got: "\(number)") }
        factor = number
      default: try reader.skipValue()
      }
    }
    try reader.end()
    guard let step = counts["step"] else { throw reader.failure("a step", got: "none") }
    if event == "skipped" {
      self = .skipped(step: step)
    } else {
      guard let rollbacks = counts["rollbacks"], let factor else {
        throw reader.failure("rollbacks and learningRateFactor", got: "fewer of them")
      }
      self = .rolledBack(step: step, rollbacks: rollbacks, learningRateFactor: factor)
    }
  }
}
