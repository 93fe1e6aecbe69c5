extension WeightGradient {
  /// What the products of a pass go by.
  struct Pass {
    /// What the shards sum up to.
    var subtrees: [ShardedRows.Subtree]
    /// Row of every place of the chains.
    let order: [Int32]
    var rowCount: Int
    /// The rows in chain order, cut into pieces of one shard each that are packed and multiplied one after another.
    var chunks: [Range<Int>] = []
    /// The chunks of each shard: at least one, which may be empty.
    var chunksOfShard: [Range<Int>] = []
    var panelsAtOnce: Int
    /// Blocks of A whose tiles are summed together, chunk of rows after chunk of rows.
    var blocksAtOnce: Int

    init(_ rows: ShardedRows) {
      (subtrees, order, rowCount) = (rows.subtrees, rows.order, rows.order.count)
      panelsAtOnce = WeightGradient.panelsAtOnce(rowCount: rowCount)
      blocksAtOnce = WeightGradient.blocksAtOnce(rowCount: rowCount)
      for (start, end) in zip(rows.shardStart, rows.shardStart.dropFirst()) { appendChunks(of: start..<end) }
    }

    /// Room for some rows of passes of up to `mostRows` rows and so many shards.
    init(upTo mostRows: Int, shards: Int) {
      (subtrees, order, rowCount) = ([], (0..<Int32(mostRows)).map { $0 }, 0)
      (panelsAtOnce, blocksAtOnce) = (1, 1)
      chunks.reserveCapacity(mostRows / chunkRows + shards)
      chunksOfShard.reserveCapacity(shards)
    }

    mutating func take(_ shardStart: UnsafeBufferPointer<Int>, of pass: Pass) {
      (subtrees, rowCount) = (pass.subtrees, shardStart[pass.chunksOfShard.count])
      panelsAtOnce = WeightGradient.panelsAtOnce(rowCount: rowCount)
      blocksAtOnce = WeightGradient.blocksAtOnce(rowCount: rowCount)
      chunks.removeAll(keepingCapacity: true)
      chunksOfShard.removeAll(keepingCapacity: true)
      for shard in pass.chunksOfShard.indices { appendChunks(of: shardStart[shard]..<shardStart[shard + 1]) }
    }

    /// A shard's rows in pieces, where a panel of all rows does not stay in the first-level cache.
    private mutating func appendChunks(of shard: Range<Int>) {
      let first = chunks.count
      if rowCount > fewRows && !shard.isEmpty {
        for start in stride(from: shard.lowerBound, to: shard.upperBound, by: chunkRows) {
          chunks.append(start..<min(start + chunkRows, shard.upperBound))
        }
      } else {
        chunks.append(shard)
      }
      chunksOfShard.append(first..<chunks.count)
    }

    /// Vectors of the stack, for groups of at least so many tiles.
    func stackVectors(tiles: Int) -> Int {
      let deepest = subtrees.map(\.leaves.count).max() ?? 1
      return (Int.bitWidth - deepest.leadingZeroBitCount + 1) * max(tiles, blocksAtOnce * panelsAtOnce) * blockColumns
    }
  }

  /// Rows up to which a tile is finished at once: a panel of them stays in the first-level cache.
  static let fewRows = 512
  /// Bytes of packed dZ that stay in the second-level cache while all of A passes.
  static let panelBytes = 256 << 10
  /// Rows of a chunk, where there are more: four panels of them stay in the first-level cache.
  static let chunkRows = 128

  static func panelsAtOnce(rowCount: Int) -> Int {
    if rowCount > fewRows { return 4 }
    return min(16, max(1, panelBytes / max(1, rowCount * vectorWidth * MemoryLayout<Float>.stride)))
  }

  static func blocksAtOnce(rowCount: Int) -> Int { rowCount > fewRows ? 16 : 1 }

  /// Rows of all panels at once, at most, for any number of rows up to `rowCount`.
  static func mostPanelRows(rowCount: Int) -> Int {
    max(4 * rowCount, panelBytes / (vectorWidth * MemoryLayout<Float>.stride))
  }

  /// Blocks times panels at once, at most, for any number of rows up to `rowCount`.
  static func mostTiles(rowCount: Int) -> Int {
    max(
      panelsAtOnce(rowCount: 0) * blocksAtOnce(rowCount: 0),
      panelsAtOnce(rowCount: rowCount) * blocksAtOnce(rowCount: rowCount))
  }

  /// Bytes of scratch memory, at most, for `rowCount` rows and a largest K.
  public static func scratchBytes(rowCount: Int, maximumDepth: Int) -> Int {
    let floats = blockCount(depth: maximumDepth) * blockColumns * rowCount
    // No plan has more shards than 2¹⁶, so no stack more levels.
    let stackBytes = 17 * blocksAtOnce(rowCount: rowCount) * blockColumns * 16 * MemoryLayout<Vector>.stride
    return floats * MemoryLayout<Float>.stride + stackBytes
      + max(panelBytes, 4 * rowCount * vectorWidth * MemoryLayout<Float>.stride)
  }
}
