import Files
import Problems

/// A text gone through from front to back in pieces, so that it may be larger than memory. Pieces end between two
/// characters; tokens, and the offsets in the file of what is not UTF-8, are those of the text read whole
/// (`ReferenceCorpus`).
struct TextScan {
  let path: String
  let kind: TokenKind
  /// Whether ends of lines are read as ` <eos> `, of which offsets of tokens then know.
  let lineEnds: Bool
  /// Bytes that are read at once.
  let pieceBytes: Int

  /// The bytes that stand for the end of a line.
  private static let lineEnd = [UInt8](" <eos> ".utf8)

  /// Calls `raw` with each piece as it is in the file, and `body` with the same as it is read: whole characters, without
  /// a byte order mark at the beginning, and ends of lines spelled out. `offset` is the place of its first byte.
  func forEachPiece(
    raw: ([UInt8]) -> Void = { _ in }, _ body: (_ bytes: [UInt8], _ offset: Int) throws(Problem) -> Void
  ) throws(Problem) {
    let beginning = try beginning()
    if kind != .bytes { try UTF8Text.expectText(beginning, name: path) }
    var (rest, place, offset, ends): ([UInt8], Int, Int, LineEnds) = ([], 0, 0, LineEnds())
    func pass(_ piece: [UInt8]) throws(Problem) {
      if kind != .bytes {
        try UTF8Text.expectTextBytes(piece, at: place, beginning: beginning, name: path, offersBytes: true)
      }
      let mark = place == 0 ? markLength(piece) : 0
      place += piece.count
      if lineEnds { ends.add(piece) }
      let bytes = lineEnds ? TextScan.spelled(piece[mark...]) : mark == 0 ? piece : Array(piece[mark...])
      try body(bytes, offset)
      offset += bytes.count
    }
    try TextFile.forEachPiece(of: path, size: pieceBytes) { (piece) throws(Problem) in
      raw(piece)
      var bytes = rest
      bytes += piece
      rest = kind == .bytes ? [] : Array(bytes[UTF8Text.endOfWholeScalars(bytes)...])
      bytes.removeLast(rest.count)
      try pass(bytes)
    }
    if !rest.isEmpty { try pass(rest) }
    if lineEnds { try ends.expectFeeds(name: path) }
  }

  /// A text in which ends of lines are written as a word.
  static func spelled(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    for byte in text {
      if byte == UInt8(ascii: "\n") { bytes += lineEnd } else { bytes.append(byte) }
    }
    return bytes
  }

  /// The first bytes of the file.
  private func beginning() throws(Problem) -> [UInt8] { try kind == .bytes ? [] : TextFile.beginning(of: path) }

  /// Bytes read any file, in which a byte order mark is as much as any other byte.
  private func markLength(_ bytes: [UInt8]) -> Int { kind == .bytes ? 0 : TextFile.lengthOfByteOrderMark(bytes) }

  /// Bytes of the text as it is read. `size` is the file's.
  func byteCount(size: Int) throws(Problem) -> Int {
    let text = size - markLength(try beginning())
    guard lineEnds else { return text }
    var ends = 0
    try TextFile.forEachPiece(of: path, size: pieceBytes) { (piece) throws(Problem) in
      ends += piece.count { $0 == UInt8(ascii: "\n") }
    }
    return text + ends * (TextScan.lineEnd.count - 1)
  }
}

/// The words of a text whose pieces come one after the other; of the text no more is kept than a word whose end is
/// still to come.
struct WordScan {
  private var begun: [UInt8] = []
  private var end = 0

  /// Calls `body` with each word that ends in the next piece, and the offset behind the white space that ends it.
  @inline(__always)
  mutating func add(_ bytes: [UInt8], _ offset: Int, _ body: (_ word: ExactString, _ end: Int) -> Void) {
    // Taken out, so that a word of any length grows in place.
    var (start, begun) = (0, self.begun)
    self.begun = []
    UTF8Text.decode(bytes) { scalar, from, to in
      guard UTF8Text.isWhitespace(scalar) else { return }
      if begun.isEmpty {
        if from > start { body(ExactString(String(decoding: bytes[start..<from], as: UTF8.self)), offset + to) }
      } else {
        body(ExactString(String(decoding: begun + bytes[start..<from], as: UTF8.self)), offset + to)
        begun = []
      }
      start = to
    }
    begun += bytes[start...]
    self.begun = begun
    end = offset + bytes.count
  }

  /// Calls `body` with the word that ends with the text, if there is one.
  func finish(_ body: (_ word: ExactString, _ end: Int) -> Void) {
    if !begun.isEmpty { body(ExactString(String(decoding: begun, as: UTF8.self)), end) }
  }
}
