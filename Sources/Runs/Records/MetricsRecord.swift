import Files

/// A line of `metrics.jsonl`: `{"event":…,"step":…,…}`. Each event has a type, which writes its line, and reads it where
/// something reads it; Runs/FORMAT.md has the table.
package protocol MetricsRecord {
  static var event: MetricsEvent { get }
  /// Completed steps, or for a rollback the step after which the run goes on.
  var step: Int { get }
  /// What follows the step.
  var members: [(key: String, value: JSON)] { get }
}

extension MetricsRecord {
  /// The line.
  package var json: JSONRecord {
    JSONRecord([(MetricsEvent.key, .string(Self.event.rawValue)), (MetricsEvent.stepKey, .integer(step))] + members)
  }
}

/// The events by their names in the file.
package enum MetricsEvent: String, Sendable {
  case run, data, step, parameters, straggler, nonFinite, skipped, rolledBack, evaluated, finished

  static let key = "event"
  static let stepKey = "step"
  /// A rollback's; it decides too which lines a resume drops.
  static let rollbacksKey = "rollbacks"
}

extension MetricsEvent {
  /// The event of a line; nil where it has none that is known, also for what is no object at all. What is wrong behind
  /// the event is found by who reads the record.
  init?(of line: ArraySlice<UInt8>) {
    var reader = JSONReader(Array(line))
    var event: String?
    // What cannot be read is no record of ours.
    try? reader.object { reader, key in
      if key == MetricsEvent.key { event = try reader.string() } else { try reader.skipValue() }
    }
    guard let known = event.flatMap(MetricsEvent.init(rawValue:)) else { return nil }
    self = known
  }
}

extension JSONReader {
  /// Reads a record: a whole line. `member` reads the values of the keys that are wanted, and returns false for others.
  mutating func record(_ member: (inout JSONReader, String) throws -> Bool) throws {
    try object { reader, key in if try !member(&reader, key) { try reader.skipValue() } }
    try end()
  }

  /// An integer from `least` on.
  mutating func count(from least: Int = 0) throws -> Int {
    let count = try integer(Int.self)
    guard count >= least else { throw failure("\(least) or more", got: "\(count)") }
    return count
  }

  /// A string, or null for none.
  mutating func optionalString() throws -> String? {
    if try takeNull() { return nil }
    return try string()
  }
}
