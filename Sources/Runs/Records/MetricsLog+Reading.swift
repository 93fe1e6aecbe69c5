import Files
import Problems

extension MetricsLog {
  /// Hands out the whole lines of a metrics file that have one of these events, in their order; none where there is no
  /// file. Other lines, and a last one that is torn, are passed over. A line that is broken behind its event is handed
  /// out: a record that has been damaged is an error.
  /// - Parameters:
  ///   - what: what such a line is, for an error of `body`.
  ///   - body: is given the line, its event, and the words for its place.
  static func forEachRecord(
    _ file: Place, events: Set<MetricsEvent>, what: String,
    _ body: (JSONReader, MetricsEvent, String) throws -> Void
  ) throws {
    guard try entry(file) != .absent else { return }
    let path = "\(file)"
    let file = try InputFile(file)
    let bytes = try file.bytes(at: 0, count: file.length)
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.dropLast().enumerated() {
      let place = "\(path), line \(index + 1)"
      guard let event = MetricsEvent(of: line), events.contains(event) else { continue }
      do {
        try body(JSONReader(Array(line)), event, place)
      } catch let failure as JSONReader.Failure {
        throw Problem(
          .badData, "\(what) is malformed", expected: failure.expected, got: failure.got, at: place)
      }
    }
  }

  /// The step of the record with which the metrics of a complete run end; nil where there is no file, or another last
  /// line.
  package static func finishedStep(_ place: Place) throws -> Int? {
    guard try entry(place) != .absent else { return nil }
    let file = try InputFile(place)
    // The record of the end takes less than a kilobyte; of a longer last line only an end is seen, which is none.
    let length = min(file.length, 4096)
    let tail = try file.bytes(at: file.length - length, count: length)
    guard tail.last == UInt8(ascii: "\n"), let line = tail.split(separator: UInt8(ascii: "\n")).last,
      MetricsEvent(of: line) == FinishedRecord.event
    else { return nil }
    return Line(line).step
  }

  /// The run that the first line of the metrics names; nil where there is no file, or another first line.
  static func run(_ place: Place) throws -> RunIdentity? {
    guard try entry(place) != .absent else { return nil }
    let file = try InputFile(place)
    let beginning = try file.bytes(at: 0, count: min(256, file.length))
    return RunRecord(JSONReader(Array(beginning.prefix { $0 != UInt8(ascii: "\n") })))?.run
  }
}
