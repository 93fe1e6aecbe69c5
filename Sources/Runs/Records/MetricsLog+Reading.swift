import Files
import Problems

extension MetricsLog {
  /// Hands out the whole lines of a metrics file that are objects with one of these values of `"event"`, in their
  /// order; none where there is no file. Other lines, and a last one that is torn, are passed over.
  /// - Parameters:
  ///   - what: what such a line is, for an error of `body`.
  ///   - body: is given the line, its event, and the words for its place.
  static func forEachRecord(
    _ file: Place, events: Set<String>, what: String, _ body: (JSONReader, String, String) throws -> Void
  ) throws {
    guard try entry(file) != .absent else { return }
    let path = "\(file)"
    let file = try InputFile(file)
    let bytes = try file.bytes(at: 0, count: file.length)
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.dropLast().enumerated() {
      let place = "\(path), line \(index + 1)"
      guard let event = event(of: line), events.contains(event) else { continue }
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
    // A record takes less than a kilobyte.
    let length = min(file.length, 4096)
    let tail = try file.bytes(at: file.length - length, count: length)
    guard tail.last == UInt8(ascii: "\n"), let line = tail.split(separator: UInt8(ascii: "\n")).last,
      event(of: line) == "finished"
    else { return nil }
    return Record(line).step
  }

  /// The run that the first line of the metrics names; nil where there is no file, or another first line.
  static func run(_ place: Place) throws -> RunIdentity? {
    guard try entry(place) != .absent else { return nil }
    let file = try InputFile(place)
    let beginning = try file.bytes(at: 0, count: min(256, file.length))
    var reader = JSONReader(Array(beginning.prefix { $0 != UInt8(ascii: "\n") }))
    var (event, run): (String?, RunIdentity?)
    // What cannot be read is no record of ours.
    try? reader.object { reader, key in
      switch key {
      case "event": event = try reader.string()
      case "run": run = try reader.runIdentity()
      default: try reader.skipValue()
      }
    }
    return event == "run" ? run : nil
  }

  private static func event(of line: ArraySlice<UInt8>) -> String? {
    var reader = JSONReader(Array(line))
    var event: String?
    // What cannot be read is no record of ours.
    try? reader.object { reader, key in
      if key == "event" { event = try reader.string() } else { try reader.skipValue() }
    }
    return event
  }
}
