import Foundation

/// The record with which the metrics of a complete run end.
struct FinishedRecord: Decodable {
  let event: String
  let step: Int

  /// The last line of a metrics file, if it is such a record; nil where there is no file or another last line.
  static func last(in path: String) throws -> FinishedRecord? {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? file.close() }
    // A record takes less than a kilobyte.
    let end = try file.seekToEnd()
    try file.seek(toOffset: end > 4096 ? end - 4096 : 0)
    guard let tail = try file.readToEnd(), tail.last == UInt8(ascii: "\n") else { return nil }
    guard let line = tail.split(separator: UInt8(ascii: "\n")).last,
      let record = try? JSONDecoder().decode(FinishedRecord.self, from: line), record.event == "finished"
    else { return nil }
    return record
  }
}
