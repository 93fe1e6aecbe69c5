import Files
import Glibc

/// `metrics.jsonl`: one JSON object per line, appended as training goes on.
package final class MetricsLog {
  private let place: Place
  private let descriptor: Int32
  /// Bytes of whole lines.
  private var length: Int
  private var isTorn = false

  /// Where a run goes on: after a step, with this number of rollbacks behind it.
  package struct ResumePoint: Equatable, Sendable {
    package let step: Int
    let rollbacks: Int

    package init(step: Int, rollbacks: Int = .max) { (self.step, self.rollbacks) = (step, rollbacks) }

    /// The start of a run.
    package static let start = ResumePoint(step: 0, rollbacks: 0)

    /// Whether a line is of what the run has behind it there.
    fileprivate func keeps(_ line: Line) -> Bool { line.step ?? 0 <= step && line.rollbacks ?? 0 <= rollbacks }
  }

  /// Opens the log, or makes it, for a run that goes on: what is newer is dropped, as `truncate` says. A new one begins
  /// with the identity of its run, where it has one.
  package init(_ place: Place, of run: RunIdentity? = nil, data: DataRecord? = nil, keeping point: ResumePoint) throws {
    if try entry(place) != .absent { try MetricsLog.truncate(place, to: point) }
    self.place = place
    descriptor = try checked("cannot open the metrics", place) {
      openat($0, $1, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    }
    length = 0
    length = Int(try checked("cannot read", place) { [descriptor] _, _ in lseek(descriptor, 0, SEEK_END) })
    guard length == 0 else { return }
    if let run { try append(RunRecord(run: run).json) }
    if let data { try append(data.json) }
  }

  deinit { close(descriptor) }

  /// Appends one line. After an error the log ends with its last whole line, or the next call makes it so.
  package func append(_ record: JSONRecord) throws {
    if isTorn { try cut() }
    var line = record.text + "\n"
    do {
      try line.withUTF8 { try writeAll(UnsafeRawBufferPointer($0), to: descriptor, place) }
      length += line.utf8.count
    } catch {
      isTorn = true
      // A second failure is not reported: `isTorn` stays, and the next call tries again.
      try? cut()
      throw error
    }
  }

  /// Cuts off the part of a line that a failed write left behind.
  private func cut() throws {
    try checked("cannot cut a torn line off", place) { _, _ in ftruncate(descriptor, off_t(length)) }
    isTorn = false
  }

  // MARK: Truncation

  /// Drops what a run that goes on at `point` will write again: a torn last line (one without its line feed, or that is
  /// not an object), and every record whose `"step"` or `"rollbacks"` is greater than the point's: where a crash comes
  /// after a rollback, but before the checkpoint that counts it, the run goes back once more. All else stays byte for
  /// byte. The file is replaced at once, or not touched where nothing is dropped. Returns the number of dropped lines.
  @discardableResult
  package static func truncate(_ place: Place, to point: ResumePoint) throws -> Int {
    let file = try InputFile(place)
    let bytes = try file.bytes(at: 0, count: file.length)
    var kept: [Range<Int>] = []
    var dropped = 0
    var start = 0
    while start < bytes.count {
      let lineFeed = bytes[start...].firstIndex(of: UInt8(ascii: "\n"))
      let end = lineFeed.map { $0 + 1 } ?? bytes.count
      let line = Line(bytes[start..<end])
      let isTorn = end == bytes.count && (lineFeed == nil || !line.isObject)
      if isTorn || !point.keeps(line) {
        dropped += 1
      } else if let last = kept.last, last.upperBound == start {
        kept[kept.count - 1] = last.lowerBound..<end
      } else {
        kept.append(start..<end)
      }
      start = end
    }
    if dropped > 0 { try write(kept.map { bytes[$0] }, to: place) }
    return dropped
  }

  private static func write(_ parts: [ArraySlice<UInt8>], to place: Place) throws {
    try replaceFile(place) { temporary in
      var file = try OutputFile(creating: temporary)
      for part in parts { try part.withUnsafeBytes { try file.write($0) } }
      return try file.finish()
    }
  }

  /// What a resume has to know of a line, whatever record it is.
  struct Line {
    var isObject = false
    var step: Int?
    var rollbacks: Int?

    init(_ line: ArraySlice<UInt8>) {
      var reader = JSONReader(Array(line))
      var numbers: [String: Int] = [:]
      do {
        try reader.object { reader, key in
          switch key {
          case MetricsEvent.stepKey, MetricsEvent.rollbacksKey: numbers[key] = try reader.integer()
          default: try reader.skipValue()
          }
        }
        try reader.end()
        (isObject, step, rollbacks) = (
          true, numbers[MetricsEvent.stepKey], numbers[MetricsEvent.rollbacksKey]
        )
      } catch {
        // Not a record of ours: it has no step, and only as the last line is it taken for torn.
      }
    }
  }
}
