import Problems

/// Reading UTF-8 text token by token, fast enough for files of 100 MB.
enum UTF8Text {
  /// Calls `body` with the value of each Unicode scalar, in order; `name` is what an error calls the text.
  @inline(__always)
  static func forEachScalar(
    in bytes: [UInt8], name: String, _ body: (UInt32) -> Void
  ) throws(Problem) {
    try expectUTF8(bytes, name: name)
    decode(bytes) { scalar, _, _ in body(scalar) }
  }

  /// Calls `body` with each word, in order: words are what stands between Unicode white space.
  static func forEachWord(
    in bytes: [UInt8], name: String, _ body: (ExactString) -> Void
  ) throws(Problem) {
    try expectUTF8(bytes, name: name)
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
  static func isWhitespace(_ scalar: UInt32) -> Bool {
    if scalar < 0x80 { return scalar == 0x20 || (0x09...0x0D).contains(scalar) }
    return Unicode.Scalar(scalar)!.properties.isWhitespace
  }

  /// Where the last character ends that is whole: behind it stand at most three bytes, which may be the beginning of
  /// another one.
  static func endOfWholeScalars(_ bytes: [UInt8]) -> Int {
    for length in 1...3 where length <= bytes.count {
      let first = bytes[bytes.count - length]
      if first & 0xC0 == 0x80 { continue }
      let needed = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF8 ? 4 : 1
      return needed > length ? bytes.count - length : bytes.count
    }
    return bytes.count
  }

  /// Calls `body` with each scalar's value and the offsets where it starts and ends.
  /// - Precondition: the bytes are valid UTF-8 (RFC 3629, section 3: the first byte says how many follow, and each of
  ///   them carries six bits).
  @inline(__always)
  static func decode(_ bytes: [UInt8], _ body: (UInt32, Int, Int) -> Void) {
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
