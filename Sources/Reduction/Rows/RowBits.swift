/// A set of rows of a table, a bit for each: what ranks tell each other about an embedding.
package struct RowBits {
  private let words: UnsafeMutablePointer<UInt64>
  private let wordCount: Int

  /// The set that is written in `wordCount(rows:)` words.
  package init(_ words: UnsafeMutablePointer<UInt64>, rows: Int) {
    self.words = words
    wordCount = RowBits.wordCount(rows: rows)
  }

  package static func wordCount(rows: Int) -> Int { (rows + 63) / 64 }

  /// From now on the set has these rows and no others.
  package func set(_ rows: [Int32]) {
    words.update(repeating: 0, count: wordCount)
    for row in rows { words[Int(row) / 64] |= 1 << UInt64(row % 64) }
  }

  package func contains(_ row: Int32) -> Bool { words[Int(row) / 64] >> UInt64(row % 64) & 1 == 1 }

  /// Visits the rows within `rows` that any of `count` sets has, ascending.
  package static func forEachUnited(
    count: Int, _ set: (Int) -> RowBits, in rows: Range<Int>, _ visit: (Int) -> Void
  ) {
    for word in rows.lowerBound / 64..<wordCount(rows: rows.upperBound) {
      var seen = (0..<count).reduce(0) { $0 | set($1).words[word] }
      while seen != 0 {
        let row = word * 64 + seen.trailingZeroBitCount
        seen &= seen - 1
        if rows.contains(row) { visit(row) }
      }
    }
  }
}
