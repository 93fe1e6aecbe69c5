import Files

/// The run went back, for the loss or gradient of a step was not finite:
///
///     {"event":"rolledBack","step":40,"from":53,"rollbacks":1,"learningRateFactor":0.5,"because":"step 53: NaN in …"}
package struct RolledBackRecord: MetricsRecord, Equatable, Sendable {
  package static let event = MetricsEvent.rolledBack

  /// The step after which the run goes on.
  package let step: Int
  /// The step that was not finite.
  package let from: Int
  /// Rollbacks since the start of the run, this one included.
  package let rollbacks: Int
  /// What the learning rate is multiplied by from here on.
  package let learningRateFactor: Double
  /// What was found at that step; nil where this job saw none.
  package let because: String?

  package init(step: Int, from: Int, rollbacks: Int, learningRateFactor: Double, because: String?) {
    (self.step, self.from, self.rollbacks) = (step, from, rollbacks)
    (self.learningRateFactor, self.because) = (learningRateFactor, because)
  }

  /// Whether rollbacks can have led to this factor of the learning rate.
  package static func isPossible(learningRateFactor factor: Double) -> Bool { factor > 0 && factor <= 1 }

  package var members: [(key: String, value: JSON)] {
    [
      ("from", .integer(from)), (MetricsEvent.rollbacksKey, .integer(rollbacks)),
      ("learningRateFactor", .number(learningRateFactor)), ("because", because.map { .string($0) } ?? nil),
    ]
  }

  init(_ line: JSONReader) throws {
    var reader = line
    var counts: [String: Int] = [:]
    var (factor, because): (Double?, String?)
    try reader.record { reader, key in
      switch key {
      case MetricsEvent.stepKey, "from", MetricsEvent.rollbacksKey: counts[key] = try reader.count()
      case "learningRateFactor":
        let number = try reader.double()
        guard RolledBackRecord.isPossible(learningRateFactor: number) else {
          throw reader.failure("a factor in (0, 1]", got: "\(number)")
        }
        factor = number
      case "because": because = try reader.optionalString()
      default: return false
      }
      return true
    }
    guard let step = counts[MetricsEvent.stepKey], let from = counts["from"],
      let rollbacks = counts[MetricsEvent.rollbacksKey], let factor
    else { throw reader.failure("step, from, rollbacks and learningRateFactor", got: "fewer of them") }
    self.init(step: step, from: from, rollbacks: rollbacks, learningRateFactor: factor, because: because)
  }
}
