import MPI

/// The scalars beside the gradient that every rank needs of every other: sums of squares of the blocks that it owns,
/// values of its shards, and its stop flag. One collective call a step, with memory made once.
struct ScalarExchange {
  private let segments: Segments
  /// For each rank, the block or shard that each of its scalars is of.
  private let blocks: [[Int]]
  private let shards: [Range<Int>]
  private var mine: [Double]
  private var all: [Double]

  /// - Parameters:
  ///   - parts: which blocks each owner owns.
  ///   - owners: for each rank which owner it is, nil for none.
  ///   - shards: the shards of each rank.
  init(parts: GradientParts, owners: [Int?], shards: [Range<Int>]) {
    let owned = shards.indices.map { rank in
      parts.parts.indices.flatMap { part in
        owners[rank].map { parts.blocks(ofPart: part, rank: $0).map { parts.firstBlock[part] + $0 } } ?? []
      }
    }
    self.blocks = owned
    self.shards = shards
    let counts = shards.indices.map { owned[$0].count + shards[$0].count + 1 }
    segments = Segments(packed: counts)
    mine = Array(repeating: 0, count: counts.max() ?? 0)
    all = Array(repeating: 0, count: counts.reduce(0, +))
  }

  /// Fills in the block sums, shard values and stop flags of the other ranks.
  mutating func exchange(
    on communicator: Communicator, blockSums: inout [Double], own: UnsafeBufferPointer<Double>,
    shardValues: inout [Double], stopFlags: inout [Double]
  ) throws {
    let rank = communicator.rank
    for (place, block) in blocks[rank].enumerated() { mine[place] = blockSums[block] }
    for place in own.indices { mine[blocks[rank].count + place] = own[place] }
    let count = segments.counts[rank]
    mine[count - 1] = stopFlags[rank]
    try mine.withUnsafeBufferPointer { mine in
      try all.withUnsafeMutableBufferPointer { all in
        try communicator.allGatherV(UnsafeBufferPointer(rebasing: mine[..<count]), into: all, segments)
      }
    }
    for other in shards.indices {
      var next = segments.displacements[other]
      for block in blocks[other] {
        blockSums[block] = all[next]
        next += 1
      }
      for shard in shards[other] {
        shardValues[shard] = all[next]
        next += 1
      }
      stopFlags[other] = all[next]
    }
  }
}
