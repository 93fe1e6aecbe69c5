import Files
import Glibc
import Problems

extension UTF8Text {
  /// Throws unless the bytes of a whole file are text in UTF-8: other files are called what they are, and of text the
  /// offset of the first wrong byte is said. A NUL byte is none of a text.
  /// - Parameter offersBytes: Whether tokens may be bytes, which read any file.
  static func validate(_ bytes: [UInt8], name: String, offersBytes: Bool = false) throws(Problem) {
    let beginning = bytes.prefix(FileKind.beginningBytes)
    try expectText(beginning, name: name)
    try expectTextBytes(bytes, at: 0, beginning: beginning, name: name, offersBytes: offersBytes)
  }

  /// Throws where a file begins as one of those that are no plain text.
  static func expectText(_ beginning: some Collection<UInt8>, name: String) throws(Problem) {
    guard let kind = FileKind(beginning) else { return }
    throw .data("file is no plain text — expected text in UTF-8, got \(kind.name) (\(name))", hint: kind.hint)
  }

  /// Throws unless a piece of a file that begins with `beginning` is UTF-8 without NUL. It stands at `offset`.
  static func expectTextBytes(
    _ bytes: [UInt8], at offset: Int, beginning: some Collection<UInt8>, name: String, offersBytes: Bool
  ) throws(Problem) {
    let wrong = firstWrongByte(bytes)
    let zero = bytes.prefix(wrong ?? bytes.count).firstZero
    guard let place = zero ?? wrong else { return }
    let more = offersBytes ? "; data.tokens=bytes reads any file" : ""
    if let encoding = TextEncoding.wide(beginning) {
      throw .data(
        "text is not UTF-8 — expected UTF-8, got \(encoding) as it seems: a wrong byte at offset \(offset + place) "
          + "(\(name))", hint: "convert it: iconv -f \(encoding) -t UTF-8 FILE > NEW\(more)")
    }
    if zero != nil {
      throw .data(
        "text has a NUL byte — expected text in UTF-8, got byte 0 at offset \(offset + place) (\(name))",
        hint: "leave such bytes out: tr -d '\\000' < FILE > NEW\(more)")
    }
    throw notUTF8(offset + place, beginning: beginning, name: name, more: more)
  }

  /// Throws, with the offset of the first wrong byte, unless the bytes are UTF-8.
  static func expectUTF8(_ bytes: [UInt8], name: String) throws(Problem) {
    guard let place = firstWrongByte(bytes) else { return }
    throw notUTF8(place, beginning: bytes, name: name, more: "; data.tokens=bytes reads any file")
  }

  private static func notUTF8(
    _ offset: Int, beginning: some Collection<UInt8>, name: String, more: String
  ) -> Problem {
    .data(
      "text is not UTF-8 — expected UTF-8, got an invalid byte at offset \(offset) (\(name))",
      hint: TextEncoding.remedy(beginning, wrongAt: offset) + more)
  }

  private static func firstWrongByte(_ bytes: [UInt8]) -> Int? {
    do {
      _ = try UTF8Span(validating: bytes.span)
      return nil
    } catch {
      return error.byteOffsets.lowerBound
    }
  }
}

extension Collection<UInt8> {
  /// The offset of the first byte that is 0.
  fileprivate var firstZero: Int? {
    let found: Int?? = withContiguousStorageIfAvailable { bytes in
      guard let base = bytes.baseAddress, let zero = memchr(base, 0, bytes.count) else { return nil }
      return UnsafeRawPointer(zero) - UnsafeRawPointer(base)
    }
    return found ?? firstIndex(of: 0).map { distance(from: startIndex, to: $0) }
  }
}

/// How the lines of a text end. Those that end with carriage returns alone, as of old Macintoshes, would all be one.
struct LineEnds {
  private var feeds = 0
  /// Carriage returns without a line feed behind them.
  private var returns = 0
  private var isBehindReturn = false

  /// Counts those of the next piece of a text.
  mutating func add(_ bytes: some Collection<UInt8>) {
    for byte in bytes {
      if isBehindReturn && byte != UInt8(ascii: "\n") { returns += 1 }
      isBehindReturn = byte == UInt8(ascii: "\r")
      if byte == UInt8(ascii: "\n") { feeds += 1 }
    }
  }

  /// Throws where more lines end with a carriage return alone than otherwise.
  func expectFeeds(name: String) throws(Problem) {
    let returns = returns + (isBehindReturn ? 1 : 0)
    guard returns <= feeds else {
      throw .data(
        "lines end with carriage returns alone — expected line feeds, got \(feeds) and \(returns) carriage returns "
          + "without one (\(name))", hint: "put line feeds in their place: tr '\\r' '\\n' < FILE > NEW")
    }
  }

  /// As above, of a whole text.
  static func expectFeeds(_ bytes: [UInt8], name: String) throws(Problem) {
    guard bytes.contains(UInt8(ascii: "\r")) else { return }
    var ends = LineEnds()
    ends.add(bytes)
    try ends.expectFeeds(name: name)
  }
}
