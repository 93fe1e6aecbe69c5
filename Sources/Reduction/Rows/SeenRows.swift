/// Which rows of a table each rank has, a bit for each row, and who adds them up. A range of the table's elements
/// counts, whose first and last row may be parts.
package final class SeenRows {
  /// The bits of all ranks, rank after rank.
  package let all: UnsafeMutableBufferPointer<UInt64>
  /// This rank's bits, before they are among those of all.
  package let own: UnsafeMutableBufferPointer<UInt64>
  /// The rows in the range that any rank has, ascending, after `unite`.
  package private(set) var united: [Int32] = []

  private let rows: Int
  private let ranks: Int
  private let size: Int
  private let range: Range<Int>
  /// For each rank how many elements it has in the rows that each rank owns.
  private var counts: [Int]

  /// - Parameters:
  ///   - size: elements of a row.
  ///   - range: among the table's elements.
  ///   - mostRows: in the range.
  package init(rows: Int, size: Int, range: Range<Int>, ranks: Int, mostRows: Int) {
    self.rows = rows
    self.ranks = ranks
    self.size = size
    self.range = range
    let words = RowBits.wordCount(rows: rows)
    all = .allocate(capacity: words * ranks)
    all.initialize(repeating: 0)
    own = .allocate(capacity: words)
    own.initialize(repeating: 0)
    counts = Array(repeating: 0, count: ranks * ranks)
    united.reserveCapacity(mostRows)
  }

  deinit {
    all.deallocate()
    own.deallocate()
  }

  /// This rank's rows.
  package func mark(_ rows: [Int32]) { RowBits(own.baseAddress!, rows: self.rows).set(rows) }

  private func seen(_ rank: Int) -> RowBits {
    RowBits(all.baseAddress! + rank * RowBits.wordCount(rows: rows), rows: rows)
  }

  /// After the bits of all ranks have come.
  package func unite() {
    united.removeAll(keepingCapacity: true)
    RowBits.forEachUnited(count: ranks, seen, in: 0..<rows) { row in
      if !elements(of: Int32(row)).isEmpty { united.append(Int32(row)) }
    }
    for rank in 0..<ranks {
      for owner in 0..<ranks {
        counts[rank * ranks + owner] = owned(by: owner).reduce(0) {
          $0 + (contains($1, rank: rank) ? elements(of: $1).count : 0)
        }
      }
    }
  }

  /// Whether a rank has a row.
  package func contains(_ row: Int32, rank: Int) -> Bool { seen(rank).contains(row) }

  /// The rows that a rank adds up: as many of the united ones as any other rank, or one more or less.
  package func owned(by rank: Int) -> ArraySlice<Int32> {
    united[rank * united.count / ranks..<(rank + 1) * united.count / ranks]
  }

  /// The elements of a row in the flat gradient, as far as they are in the range.
  package func elements(of row: Int32) -> Range<Int> { (Int(row) * size..<(Int(row) + 1) * size).clamped(to: range) }

  /// Elements that a rank has in the rows that another one adds up.
  package func count(ofRank rank: Int, ownedBy owner: Int) -> Int { counts[rank * ranks + owner] }

  /// Elements of the rows that a rank adds up.
  package func count(ownedBy owner: Int) -> Int { owned(by: owner).reduce(0) { $0 + elements(of: $1).count } }
}
