import Files

/// A step that changed no parameter, for its loss or gradient was not finite:
///
///     {"event":"skipped","step":40,"inARow":1}
package struct SkippedRecord: MetricsRecord, Equatable, Sendable {
  package static let event = MetricsEvent.skipped

  package let step: Int
  /// Skipped steps in a row, this one included.
  package let inARow: Int

  package init(step: Int, inARow: Int) { (self.step, self.inARow) = (step, inARow) }

  package var members: [(key: String, value: JSON)] { [("inARow", .integer(inARow))] }

  init(_ line: JSONReader) throws {
    var reader = line
    var (step, inARow): (Int?, Int?)
    try reader.record { reader, key in
      switch key {
      case MetricsEvent.stepKey: step = try reader.count()
      case "inARow": inARow = try reader.count(from: 1)
      default: return false
      }
      return true
    }
    guard let step, let inARow else { throw reader.failure("step and inARow", got: "fewer of them") }
    self.init(step: step, inARow: inARow)
  }
}
