/// Where the scalars beside the gradient lie when they are gathered rank after rank: of each rank the sums of squares of
/// the blocks that it owns, the values of its shards, and its stop flag.
package struct ScalarLayout: Sendable {
  /// Scalars of each rank.
  package let counts: [Int]
  /// For each rank, the block or shard that each of its scalars is of.
  private let blocks: [[Int]]
  private let shards: [Range<Int>]

  /// - Parameters:
  ///   - parts: which blocks each owner owns.
  ///   - owners: for each rank which owner it is, nil for none.
  ///   - shards: the shards of each rank.
  package init(parts: GradientParts, owners: [Int?], shards: [Range<Int>]) {
    let owned = shards.indices.map { rank in
      parts.parts.indices.flatMap { part in
        owners[rank].map { parts.blocks(ofPart: part, rank: $0).map { parts.firstBlock[part] + $0 } } ?? []
      }
    }
    self.blocks = owned
    self.shards = shards
    counts = shards.indices.map { owned[$0].count + shards[$0].count + 1 }
  }

  /// Writes a rank's scalars to the beginning of `mine`; `own` are the values of its shards.
  package func write(
    rank: Int, blockSums: [Double], own: UnsafeBufferPointer<Double>, stopFlag: Double, to mine: inout [Double]
  ) {
    for (place, block) in blocks[rank].enumerated() { mine[place] = blockSums[block] }
    for place in own.indices { mine[blocks[rank].count + place] = own[place] }
    mine[counts[rank] - 1] = stopFlag
  }

  /// Fills in what all ranks have written, rank after rank without gaps.
  package func read(
    _ all: [Double], blockSums: inout [Double], shardValues: inout [Double], stopFlags: inout [Double]
  ) {
    var next = 0
    for rank in shards.indices {
      for block in blocks[rank] {
        blockSums[block] = all[next]
        next += 1
      }
      for shard in shards[rank] {
        shardValues[shard] = all[next]
        next += 1
      }
      stopFlags[rank] = all[next]
      next += 1
    }
  }
}
