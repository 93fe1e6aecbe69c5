import Plan

extension WeightGradient {
  /// The chains of a pass, and how their rows are cut.
  struct Chains {
    /// What the shards sum up to.
    var subtrees: [ShardedRows.Subtree]
    /// Row of every place of the chains.
    let order: [Int32]
    var rowCount: Int
    /// The rows in chain order, cut into parts of one shard each.
    var chunks: [Range<Int>] = []
    /// The chunks of each shard: at least one, which may be empty.
    var chunksOfShard: [Range<Int>] = []

    init(_ rows: ShardedRows) {
      (subtrees, order, rowCount) = (rows.subtrees, rows.order, rows.order.count)
      for (start, end) in zip(rows.shardStart, rows.shardStart.dropFirst()) { appendChunks(of: start..<end) }
    }

    /// Room for some rows of passes of up to `mostRows` rows and `shards` shards.
    init(upTo mostRows: Int, shards: Int) {
      (subtrees, order, rowCount) = ([], (0..<Int32(mostRows)).map { $0 }, 0)
      chunks.reserveCapacity(mostRows / chunkRows + shards)
      chunksOfShard.reserveCapacity(shards)
    }

    mutating func take(_ shardStart: UnsafeBufferPointer<Int>, of all: Chains) {
      (subtrees, rowCount) = (all.subtrees, shardStart[all.chunksOfShard.count])
      chunks.removeAll(keepingCapacity: true)
      chunksOfShard.removeAll(keepingCapacity: true)
      for shard in all.chunksOfShard.indices { appendChunks(of: shardStart[shard]..<shardStart[shard + 1]) }
    }

    /// A shard's rows in the fewest pieces, as even as they come.
    private mutating func appendChunks(of shard: Range<Int>) {
      let first = chunks.count
      let pieces = max(1, (shard.count + chunkRows - 1) / chunkRows)
      for piece in 0..<pieces {
        chunks.append(
          shard.lowerBound + piece * shard.count / pieces..<shard.lowerBound + (piece + 1) * shard.count / pieces)
      }
      chunksOfShard.append(first..<chunks.count)
    }

    /// The most chunks of a product: some rows of the pass may need one more for each shard than all of them, and sums
    /// of earlier passes come in chunks without rows.
    var mostChunks: Int {
      chunks.count + chunksOfShard.count + subtrees.reduce(0) { $0 + $1.place.leftSiblings.count }
    }

    /// Vectors of the stack of a tile of two panels: a level for each height of the tallest tree, and for each sum of
    /// earlier passes.
    var tileStackVectors: Int {
      let levels = subtrees.map { Int.bitWidth - $0.leaves.count.leadingZeroBitCount + $0.place.leftSiblings.count }
      return (levels.max() ?? 1) * 2 * blockColumns
    }
  }

  // A run's panels of dZ are 512 KiB at most, its blocks of A 192 KiB. On two Zen 5 cores (1 MiB of second-level cache
  // each) the tiles of char-512 reached 94 % of the peak so, 92 % with 512 rows, and 66 % with four panels, for which A
  // comes from memory twice as often.

  /// Panels of dZ past which all of A goes at once.
  static let panelsAtOnce = 8
  /// The most rows of a chunk, and of a run of chunks.
  static let chunkRows = 1024
  /// Blocks of A whose tiles are summed together, run after run of chunks.
  static let blocksAtOnce = 4

  /// Bytes of scratch memory, at most, for `rowCount` rows and a largest K.
  package static func scratchBytes(rowCount: Int, maximumDepth: Int) -> Int {
    let floats = blockCount(depth: maximumDepth) * blockColumns * rowCount
    // No plan has more shards than 2¹⁶, so no stack more levels.
    let stackBytes = 17 * blocksAtOnce * panelsAtOnce * blockColumns * MemoryLayout<Vector>.stride
    return (floats + panelsAtOnce * vectorWidth * rowCount) * MemoryLayout<Float>.stride + stackBytes
  }
}
