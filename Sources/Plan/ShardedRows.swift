/// Which rows of activations [T·B] belong to which of a rank's logical shards, in the order in which weight gradients
/// add them: shard by shard; within a shard t descending, as back-propagation makes them; lanes ascending within a t.
/// Made once for a batch shape, read in every step.
///
/// The rows are those of one pass: all shards of the rank, or some of them where it accumulates its gradient in
/// several.
package struct ShardedRows: Sendable {
  /// A maximal complete subtree of the summation tree among the shards of the pass, as indices of them.
  package struct Subtree: Sendable {
    /// Local shards that are its leaves.
    package let leaves: Range<Int>
    /// For each leaf, how many inner nodes of the subtree are complete once that leaf is.
    package let mergesAfterLeaf: [Int]
    /// Which of the rank's gradients it goes to, and which ones of earlier passes it completes.
    package let place: SummationTree.Place
  }

  /// T.
  package let timesteps: Int
  /// B, lanes of the pass.
  package let lanes: Int
  /// The first of them within the global batch, which names their random numbers.
  package let firstLane: Int
  /// The lanes of each shard, counted from the first lane.
  package let shardLanes: [Range<Int>]
  /// Row t·B + lane of every place of the chains; T·B of them.
  package let order: [Int32]
  /// Places of a local shard's chain: `order[shardStart[s] ..< shardStart[s + 1]]`.
  package let shardStart: [Int]
  /// What the shards sum up to.
  package let subtrees: [Subtree]

  /// - Parameters:
  ///   - timesteps: T.
  ///   - firstLane: the first lane within the global batch.
  ///   - shardLanes: the lanes of each shard, ascending, together 0 ..< B. Ranges may be empty.
  ///   - shards: the shards of the pass among all.
  ///   - ownShards: those of all passes of the rank; nil where this is the only one.
  ///   - shardCount: S, leaves of the whole tree.
  package init(
    timesteps: Int, firstLane: Int = 0, shardLanes: [Range<Int>], shards: Range<Int>, ownShards: Range<Int>? = nil,
    shardCount: Int
  ) {
    precondition(shards.count == shardLanes.count, "one range of lanes for each shard")
    self.timesteps = timesteps
    self.firstLane = firstLane
    self.shardLanes = shardLanes
    let lanes = shardLanes.last?.upperBound ?? 0
    self.lanes = lanes
    (order, shardStart) = ShardedRows.chains(timesteps: timesteps, lanes: lanes, shardLanes: shardLanes)
    subtrees = SummationTree.subtrees(of: shards, leafCount: shardCount).map { node in
      let leaves = node.lowerBound - shards.lowerBound..<node.upperBound - shards.lowerBound
      var merges = [Int](repeating: 0, count: leaves.count)
      func visit(_ node: Range<Int>) {
        guard node.count > 1 else { return }
        let middle = SummationTree.split(node)
        visit(node.lowerBound..<middle)
        visit(middle..<node.upperBound)
        merges[node.upperBound - 1 - shards.lowerBound - leaves.lowerBound] += 1
      }
      visit(node)
      let place = SummationTree.place(of: node, in: ownShards ?? shards, leafCount: shardCount)
      return Subtree(leaves: leaves, mergesAfterLeaf: merges, place: place)
    }
  }

  /// The same lanes in the same shards over another number of timesteps: 1 for a head at the last one.
  package init(_ other: ShardedRows, timesteps: Int) {
    self.timesteps = timesteps
    (lanes, firstLane, shardLanes, subtrees) = (other.lanes, other.firstLane, other.shardLanes, other.subtrees)
    (order, shardStart) = ShardedRows.chains(timesteps: timesteps, lanes: lanes, shardLanes: shardLanes)
  }

  private static func chains(
    timesteps: Int, lanes: Int, shardLanes: [Range<Int>]
  ) -> (order: [Int32], shardStart: [Int]) {
    var order: [Int32] = []
    order.reserveCapacity(timesteps * lanes)
    var shardStart = [0]
    for lanesOfShard in shardLanes {
      for t in stride(from: timesteps - 1, through: 0, by: -1) {
        for lane in lanesOfShard { order.append(Int32(t * lanes + lane)) }
      }
      shardStart.append(order.count)
    }
    return (order, shardStart)
  }

  /// Gradients that a rank needs for passes over these shards, one after the other: those of its subtrees in the end,
  /// and those that wait for the other half of their node on the way there.
  package static func gradientCount(passes: [Range<Int>], shardCount: Int) -> Int {
    guard let first = passes.first, let last = passes.last else { return 0 }
    let own = first.lowerBound..<last.upperBound
    let nodes = passes.flatMap { SummationTree.subtrees(of: $0, leafCount: shardCount) }
    return nodes.map { SummationTree.place(of: $0, in: own, leafCount: shardCount).index + 1 }.max() ?? 0
  }

  /// One shard that holds every lane: what a single process without a contract would do.
  package init(timesteps: Int, lanes: Int) {
    self.init(timesteps: timesteps, shardLanes: [0..<lanes], shards: 0..<1, shardCount: 1)
  }
}
