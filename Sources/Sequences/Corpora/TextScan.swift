import Files
import Problems

/// A text gone through from front to back in pieces, so that it may be larger than memory. Pieces end between two
/// characters; tokens, and the offsets of what is not UTF-8, are those of the text read whole (`ReferenceCorpus`).
struct TextScan {
  let path: String
  let kind: TokenKind
  /// Whether ends of lines are read as ` <eos> `, of which all offsets then know.
  let lineEnds: Bool
  /// Bytes that are read at once.
  let pieceBytes: Int

  /// The bytes that stand for the end of a line.
  private static let lineEnd = [UInt8](" <eos> ".utf8)

  /// Calls `raw` with each piece as it is in the file, and `body` with the same as it is read: whole characters, and
  /// ends of lines spelled out. `offset` is the place of its first byte.
  func forEachPiece(
    raw: ([UInt8]) -> Void = { _ in }, _ body: (_ bytes: [UInt8], _ offset: Int) throws(Problem) -> Void
  ) throws(Problem) {
    var (rest, offset): ([UInt8], Int) = ([], 0)
    func pass(_ bytes: [UInt8]) throws(Problem) {
      if kind != .bytes { try UTF8Text.validate(bytes, name: path, offset: offset) }
      try body(bytes, offset)
      offset += bytes.count
    }
    try TextFile.forEachPiece(of: path, size: pieceBytes) { (piece) throws(Problem) in
      raw(piece)
      var bytes = rest
      append(piece, to: &bytes)
      rest = kind == .bytes ? [] : Array(bytes[UTF8Text.endOfWholeScalars(bytes)...])
      bytes.removeLast(rest.count)
      try pass(bytes)
    }
    if !rest.isEmpty { try pass(rest) }
  }

  private func append(_ piece: [UInt8], to bytes: inout [UInt8]) {
    guard lineEnds else {
      bytes += piece
      return
    }
    for byte in piece {
      if byte == UInt8(ascii: "\n") { bytes += TextScan.lineEnd } else { bytes.append(byte) }
    }
  }

  /// Bytes of the text, ends of lines spelled out. `size` is the file's.
  func byteCount(size: Int) throws(Problem) -> Int {
    guard lineEnds else { return size }
    var ends = 0
    try TextFile.forEachPiece(of: path, size: pieceBytes) { (piece) throws(Problem) in
      ends += piece.count { $0 == UInt8(ascii: "\n") }
    }
    return size + ends * (TextScan.lineEnd.count - 1)
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
