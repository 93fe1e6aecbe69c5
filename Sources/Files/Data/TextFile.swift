import Problems

/// Files of data, read whole or in pieces. A path that is missing, unreadable or not a regular file is an error with
/// exit code 74.
package enum TextFile {
  /// The bytes of the file at `path`.
  /// - Parameter what: What an error calls the file.
  package static func read(_ path: String, as what: String = "text file") throws(Problem) -> [UInt8] {
    let file = try InputFile(Place(path), as: what)
    return try file.bytes(at: 0, count: file.length)
  }

  /// The first bytes of the file at `path`, as many as `FileKind` looks at.
  package static func beginning(of path: String, as what: String = "text file") throws(Problem) -> [UInt8] {
    let file = try InputFile(Place(path), as: what)
    return try file.bytes(at: 0, count: min(file.length, FileKind.beginningBytes))
  }

  /// The state of the file at `path`.
  package static func state(_ path: String, as what: String = "text file") throws(Problem) -> FileState {
    try InputFile(Place(path), as: what).state
  }

  /// 3 for bytes that begin with U+FEFF, which some programs put before UTF-8 text, otherwise 0.
  package static func lengthOfByteOrderMark(_ bytes: [UInt8]) -> Int { bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0 }

  /// Calls `body` with the bytes of a file that may be larger than memory, in pieces of `size` and a shorter last one.
  package static func forEachPiece(
    of path: String, size: Int, as what: String = "text file", _ body: ([UInt8]) throws(Problem) -> Void
  ) throws(Problem) {
    let file = try InputFile(Place(path), as: what)
    var offset = 0
    while offset < file.length {
      let piece = try file.bytes(at: offset, count: min(size, file.length - offset))
      try body(piece)
      offset += piece.count
    }
  }

  /// Calls `body` with each line of a file that may be larger than memory, without its line feed, piece by piece; an
  /// end of the file without one ends a line too. A byte order mark at the beginning is passed over. A line of more than
  /// `longest` bytes is an error with exit code 65.
  package static func forEachLine(
    of path: String, longest: Int, as what: String, _ body: (ArraySlice<UInt8>) throws(Problem) -> Void
  ) throws(Problem) {
    var (rest, isFirst): ([UInt8], Bool) = ([], true)
    try forEachPiece(of: path, size: max(longest, 1 << 16), as: what) { (piece) throws(Problem) in
      let text = rest + piece
      var start = isFirst ? lengthOfByteOrderMark(text) : 0
      isFirst = false
      while let end = text[start...].firstIndex(of: UInt8(ascii: "\n")), end - start <= longest {
        try body(text[start..<end])
        start = end + 1
      }
      rest = Array(text[start...])
      guard rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.count <= longest else {
        throw .data("line is too long — expected at most \(longest) bytes, got more (\(path))")
      }
    }
    if !rest.isEmpty { try body(rest[...]) }
  }
}
