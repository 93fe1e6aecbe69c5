import Plan

/// What every reducer is about.
package struct ReductionPlan: Sendable {
  /// The parts of the model in memory order.
  package let parts: [Range<Int>]
  /// The first part as rows, where it is an embedding, and how many rows a batch has at most.
  package let embedding: (rows: Int, size: Int, mostRows: Int)?
  /// Whether only those rows travel that some rank has seen.
  package let sendsRows: Bool
  /// Of tied weights the part that is the embedding too: as many elements in the same order, to which those of the first
  /// part are added.
  package let sharedPart: Int?
  /// S.
  package let shardCount: Int
  /// The shards of each rank.
  package let shards: [Range<Int>]

  package init(
    parts: [Range<Int>], embedding: (rows: Int, size: Int, mostRows: Int)?, sendsRows: Bool, sharedPart: Int?,
    shardCount: Int, shards: [Range<Int>]
  ) {
    self.parts = parts
    self.embedding = embedding
    self.sendsRows = sendsRows
    self.sharedPart = sharedPart
    self.shardCount = shardCount
    self.shards = shards
  }

  /// Of tied weights: adds what came through the embedding to what came through the output, element by element where it
  /// is not 0, so that it is all the same which rows were looked at.
  package func join(_ gradient: UnsafeMutablePointer<Float>, changed: [Range<Int>]) {
    guard let sharedPart else { return }
    let offset = parts[sharedPart].lowerBound - parts[0].lowerBound
    for range in changed where range.upperBound <= parts[0].upperBound {
      let (from, to) = (gradient + range.lowerBound, gradient + (range.lowerBound + offset))
      for i in 0..<range.count { to[i] = from[i] == 0 ? to[i] : to[i] + from[i] }
    }
  }

  /// Those of ascending ranges that are of parameters.
  package func ofParameters(_ ranges: [Range<Int>]) -> ArraySlice<Range<Int>> {
    guard sharedPart != nil else { return ranges[...] }
    return ranges[(ranges.firstIndex { $0.lowerBound >= parts[0].upperBound } ?? ranges.count)...]
  }

  /// Where the sum may be other than +0.0 in ranges of the parts, ascending: what they have of each row that some rank
  /// has seen, and those of the other parts.
  package func appendChangedRanges(
    of ranges: [Range<Int>], ranks: Int, seen: (_ rank: Int) -> RowBits, to changed: inout [Range<Int>]
  ) {
    if let size = embedding?.size, let owned = ranges.first, !owned.isEmpty {
      let rows = owned.lowerBound / size..<(owned.upperBound - 1) / size + 1
      RowBits.forEachUnited(count: ranks, seen, in: rows) { row in
        changed.append((row * size..<(row + 1) * size).clamped(to: owned))
      }
    }
    for range in ranges[(embedding == nil ? 0 : 1)...] where !range.isEmpty { changed.append(range) }
  }

  /// The embedding's elements.
  package var embeddingRange: Range<Int>? { embedding == nil ? nil : parts[0] }

  /// The subtrees of each rank's shards.
  package var subtrees: [[Range<Int>]] { shards.map { SummationTree.subtrees(of: $0, leafCount: shardCount) } }
}
