/// Reading UTF-8 text token by token, fast enough for files of 100 MB.
enum UTF8Text {
  /// Calls `body` with the value of each Unicode scalar, in order; `name` is what an error calls the text.
  @inline(__always)
  static func forEachScalar(
    in bytes: [UInt8], name: String, _ body: (UInt32) -> Void
  ) throws(SequenceError) {
    try validate(bytes, name: name)
    decode(bytes) { scalar, _, _ in body(scalar) }
  }

  /// Calls `body` with each word, in order: words are what stands between Unicode white space.
  static func forEachWord(
    in bytes: [UInt8], name: String, _ body: (ExactString) -> Void
  ) throws(SequenceError) {
    try validate(bytes, name: name)
    var start = 0
    func endWord(at offset: Int) {
      if offset > start { body(ExactString(String(decoding: bytes[start..<offset], as: UTF8.self))) }
    }
    decode(bytes) { scalar, from, to in
      if isWhitespace(scalar) {
        endWord(at: from)
        start = to
      }
    }
    endWord(at: bytes.count)
  }

  /// The Unicode property White_Space, with the answer for ASCII at hand.
  @inline(__always)
  private static func isWhitespace(_ scalar: UInt32) -> Bool {
    if scalar < 0x80 { return scalar == 0x20 || (0x09...0x0D).contains(scalar) }
    return Unicode.Scalar(scalar)!.properties.isWhitespace
  }

  /// How many tokens of a kind the text has, counted no further than `limit`, so that the answer about a long text is
  /// quick.
  /// - Precondition: the bytes are valid UTF-8, other than for `bytes`.
  static func count(of kind: TokenKind, in bytes: [UInt8], upTo limit: Int) -> Int {
    switch kind {
    case .bytes: min(bytes.count, limit)
    case .characters, .symbols: bytes.lazy.filter { $0 & 0xC0 != 0x80 }.prefix(limit).count
    case .words:
      String(decoding: bytes, as: UTF8.self).unicodeScalars
        .split(maxSplits: limit) { isWhitespace($0.value) }.prefix(limit).count
    }
  }

  /// Where the scalar begins that the byte at `offset` belongs to; the end of the text for its end.
  static func scalarStart(in bytes: [UInt8], at offset: Int) -> Int {
    var place = offset
    while place > 0 && place < bytes.count && bytes[place] & 0xC0 == 0x80 { place -= 1 }
    return place
  }

  /// Where the word begins that the byte at `offset` belongs to; the end of the text for its end.
  static func wordStart(in bytes: [UInt8], at offset: Int) -> Int {
    var place = scalarStart(in: bytes, at: offset)
    while place > 0 && place < bytes.count {
      let before = scalarStart(in: bytes, at: place - 1)
      if String(decoding: bytes[before..<place], as: UTF8.self).allSatisfy(\.isWhitespace) { break }
      place = before
    }
    return place
  }

  /// 3 for bytes that begin with U+FEFF, which some programs put before UTF-8 text, otherwise 0.
  static func lengthOfByteOrderMark(_ bytes: [UInt8]) -> Int { bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0 }

  /// Throws, with the offset of the first wrong byte, unless the bytes are UTF-8.
  static func validate(
    _ bytes: [UInt8], name: String,
    hint: String = "set data.tokens to bytes, which reads any file, or convert the text to UTF-8"
  ) throws(SequenceError) {
    do {
      _ = try UTF8Span(validating: bytes.span)
    } catch {
      throw .data(
        "text is not UTF-8 — expected UTF-8, got an invalid byte at offset \(error.byteOffsets.lowerBound) (\(name))",
        hint: hint)
    }
  }

  /// Calls `body` with each scalar's value and the offsets where it starts and ends.
  /// - Precondition: the bytes are valid UTF-8 (RFC 3629, section 3: the first byte says how many follow, and each of
  ///   them carries six bits).
  @inline(__always)
  private static func decode(_ bytes: [UInt8], _ body: (UInt32, Int, Int) -> Void) {
    bytes.withUnsafeBufferPointer { bytes in
      var offset = 0
      while offset < bytes.count {
        let first = UInt32(bytes[offset])
        let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        var scalar = length == 1 ? first : first & (0x7F >> UInt32(length))
        for following in 1..<length { scalar = scalar << 6 | UInt32(bytes[offset + following] & 0x3F) }
        body(scalar, offset, offset + length)
        offset += length
      }
    }
  }
}
