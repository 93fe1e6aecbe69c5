import Files

/// The first line, which says what run the file is of:
///
///     {"event":"run","step":0,"run":"0f3a…"}
struct RunRecord: MetricsRecord {
  static let event = MetricsEvent.run
  let run: RunIdentity

  var step: Int { 0 }
  var members: [(key: String, value: JSON)] { [(Self.event.rawValue, .string("\(run)"))] }

  init(run: RunIdentity) { self.run = run }

  /// Nil for a line that is not one. One that has been cut counts as far as it can be read.
  init?(_ line: JSONReader) {
    var reader = line
    var (event, run): (String?, RunIdentity?)
    try? reader.object { reader, key in
      switch key {
      case MetricsEvent.key: event = try reader.string()
      case Self.event.rawValue: run = try reader.runIdentity()
      default: try reader.skipValue()
      }
    }
    guard event == Self.event.rawValue, let run else { return nil }
    self.init(run: run)
  }
}
