import MPI

/// The scalars beside the gradient that every rank needs of every other: sums of squares of the blocks that it owns,
/// values of its shards, and its stop flag. One collective call a step, with memory made once.
struct ScalarExchange {
  private let layout: ScalarLayout
  private let segments: Segments
  private var mine: [Double]
  private var all: [Double]

  init(_ layout: ScalarLayout) {
    self.layout = layout
    segments = Segments(packed: layout.counts)
    mine = Array(repeating: 0, count: layout.counts.max() ?? 0)
    all = Array(repeating: 0, count: layout.counts.reduce(0, +))
  }

  /// Fills in the block sums, shard values and stop flags of the other ranks.
  mutating func exchange(
    on communicator: Communicator, blockSums: inout [Double], own: UnsafeBufferPointer<Double>,
    shardValues: inout [Double], stopFlags: inout [Double]
  ) throws {
    let rank = communicator.rank
    layout.write(rank: rank, blockSums: blockSums, own: own, stopFlag: stopFlags[rank], to: &mine)
    try mine.withUnsafeBufferPointer { mine in
      try all.withUnsafeMutableBufferPointer { all in
        try communicator.allGatherV(
          UnsafeBufferPointer(rebasing: mine[..<layout.counts[rank]]), into: all, segments)
      }
    }
    layout.read(all, blockSums: &blockSums, shardValues: &shardValues, stopFlags: &stopFlags)
  }
}
