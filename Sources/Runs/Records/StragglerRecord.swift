import Files

/// A rank has been behind the others for some steps. Nothing reads it but people.
package struct StragglerRecord: MetricsRecord {
  package static let event = MetricsEvent.straggler

  package let step: Int
  let rank: Int
  let host: String
  let phase: String
  let behind: Double
  let stepsInARow: Int?

  /// - Parameters:
  ///   - phase: in which it lost most.
  ///   - behind: its time over what was to be expected, less 1.
  ///   - stepsInARow: for how many steps it has been behind.
  package init(step: Int, rank: Int, host: String, phase: String, behind: Double, stepsInARow: Int?) {
    (self.step, self.rank, self.host) = (step, rank, host)
    (self.phase, self.behind, self.stepsInARow) = (phase, behind, stepsInARow)
  }

  package var members: [(key: String, value: JSON)] {
    [
      ("rank", .integer(rank)), ("host", .string(host)), ("phase", .string(phase)), ("behind", .number(behind)),
      ("stepsInARow", stepsInARow.map { .integer($0) } ?? nil),
    ]
  }
}
