import Files

/// An evaluation on what was held out:
///
///     {"event":"evaluated","step":40,"validationLoss":1.25}
package struct EvaluatedRecord: MetricsRecord {
  package static let event = MetricsEvent.evaluated

  package let step: Int
  /// Nil where it was not finite, of a record that was read.
  package let validationLoss: Double?

  package init(step: Int, validationLoss: Double) { (self.step, self.validationLoss) = (step, validationLoss) }

  package var members: [(key: String, value: JSON)] { [("validationLoss", .number(validationLoss))] }

  init(_ line: JSONReader) throws {
    var reader = line
    var (step, loss): (Int?, Double?)
    try reader.record { reader, key in
      switch key {
      case MetricsEvent.stepKey: step = try reader.count()
      case "validationLoss": loss = try reader.optionalDouble()
      default: return false
      }
      return true
    }
    guard let step else { throw reader.failure("a step", got: "none") }
    (self.step, validationLoss) = (step, loss)
  }
}
