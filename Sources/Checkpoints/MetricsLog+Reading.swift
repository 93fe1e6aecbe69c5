extension MetricsLog {
  /// Hands out the whole lines of a metrics file that are objects with one of these values of `"event"`, in their
  /// order; none where there is no file. Other lines, and a last one that is torn, are passed over.
  /// - Parameters:
  ///   - what: what such a line is, for an error of `body`.
  ///   - body: is given the line, its event, and the words for its place.
  static func forEachRecord(
    _ path: String, events: Set<String>, what: String, _ body: (JSONReader, String, String) throws -> Void
  ) throws {
    guard try entry(path) != .absent else { return }
    let file = try InputFile(path)
    let bytes = try file.bytes(at: 0, count: file.length)
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.dropLast().enumerated() {
      let place = "\(path), line \(index + 1)"
      guard let event = event(of: line), events.contains(event) else { continue }
      do {
        try body(JSONReader(Array(line)), event, place)
      } catch let failure as JSONReader.Failure {
        throw CheckpointError(
          .badData, "\(what) is malformed", expected: failure.expected, got: failure.got, at: place)
      }
    }
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
