import Files
import Timing

/// The Trace Event Format: a JSON object with an array of events. All of ours have a duration ("X"), but for the names
/// of processes and lanes ("M"). Times are microseconds with three decimals.
package struct TraceText {
  private let partNames: [String]
  private let originSeconds: Double

  package static let head =
    #"{"displayTimeUnit":"ms","traceEvents":[{"name":"trace","ph":"M","ts":0,"pid":0,"tid":0,"args":{}}"#
  package static let tail = "\n]}\n"

  /// - Parameters:
  ///   - partNames: names of the model's parts.
  ///   - originSeconds: the moment 0 of the trace.
  package init(partNames: [String], originSeconds: Double) {
    (self.partNames, self.originSeconds) = (partNames, originSeconds)
  }

  /// The events of one rank, each on a line of its own behind a comma.
  package func append(_ events: [TraceEvent], rank: Int, host: String, to append: (String) throws -> Void) throws {
    try append(name("process_name", "name", .string("rank \(rank) (\(host))"), rank, lane: 0))
    try append(name("process_sort_index", "sort_index", .integer(rank), rank, lane: 0))
    try append(name("thread_name", "name", "computation", rank, lane: 0))
    // The backward pass finishes the last part first.
    for part in partNames.indices.reversed() {
      let lane = lane(ofPart: part)
      try append(name("thread_name", "name", .string("communication: \(partNames[part])"), rank, lane: lane))
      try append(name("thread_sort_index", "sort_index", .integer(lane), rank, lane: lane))
    }
    for event in events { try append(line(event, rank: rank)) }
  }

  private func lane(ofPart part: Int) -> Int { partNames.count - part }

  private func name(_ name: String, _ key: String, _ value: JSON, _ rank: Int, lane: Int) -> String {
    let record: JSONRecord = [
      "name": .string(name), "ph": "M", "ts": 0, "pid": .integer(rank), "tid": .integer(lane),
      "args": .object(JSONRecord([(key, value)])),
    ]
    return ",\n" + record.text
  }

  /// By hand, for there may be millions.
  private func line(_ event: TraceEvent, rank: Int) -> String {
    let (begin, end) = (nanoseconds(event.begin), nanoseconds(event.end))
    let part = event.part < 0 ? nil : partNames[Int(event.part)]
    let (name, category, lane) =
      switch event.kind {
      case .step: ("step \(event.step)", "step", 0)
      case .phase: (part.map { "\(event.phase) \($0)" } ?? "\(event.phase)", "computation", 0)
      case .exchange: (part ?? "", "communication", self.lane(ofPart: Int(event.part)))
      case .ready: ("\(part ?? "") ready", "communication", self.lane(ofPart: Int(event.part)))
      case .reading: ("reading \(part ?? "")", "communication", self.lane(ofPart: Int(event.part)))
      }
    return ",\n{\"name\":\"\(name)\",\"cat\":\"\(category)\",\"ph\":\"X\",\"ts\":\(microseconds(begin)),"
      + "\"dur\":\(microseconds(end - begin)),\"pid\":\(rank),\"tid\":\(lane),\"args\":{\"step\":\(event.step)}}"
  }

  /// Rounding keeps the order of moments, so events that lie within each other still do.
  private func nanoseconds(_ seconds: Double) -> Int { Int((max(0, seconds - originSeconds) * 1e9).rounded()) }

  private func microseconds(_ nanoseconds: Int) -> String {
    let fraction = String(nanoseconds % 1000)
    return "\(nanoseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
  }
}
