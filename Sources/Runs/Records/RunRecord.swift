import Files
import Version

/// The first line, which says what run the file is of, and which program began it:
///
///     {"event":"run","step":0,"run":"0f3a…","program":"1.0.0","commit":"3fba9ad"}
struct RunRecord: MetricsRecord {
  static let event = MetricsEvent.run
  private static let runKey = "run"
  let run: RunIdentity

  var step: Int { 0 }
  var members: [(key: String, value: JSON)] {
    [(Self.runKey, .string("\(run)")), ("program", .string(Version.number))]
      + (Version.commit.map { [("commit", .string($0))] } ?? [])
  }

  init(run: RunIdentity) { self.run = run }

  /// Nil for a line that is not one. One that has been cut counts as far as it can be read.
  init?(_ line: JSONReader) {
    var reader = line
    var (event, run): (String?, RunIdentity?)
    try? reader.object { reader, key in
      switch key {
      case MetricsEvent.key: event = try reader.string()
      case Self.runKey: run = try reader.runIdentity()
      default: try reader.skipValue()
      }
    }
    guard event == Self.event.rawValue, let run else { return nil }
    self.init(run: run)
  }
}
