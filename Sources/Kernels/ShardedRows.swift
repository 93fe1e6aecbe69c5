/// Which rows of a rank's activations [T·B] belong to which of its logical shards, in the order in which weight
/// gradients add them: shard by shard; within a shard t descending, as back-propagation makes them; lanes ascending
/// within a t. Made once for a batch shape, read in every step.
public struct ShardedRows: Sendable {
  /// A maximal complete subtree of the summation tree among this rank's shards, as indices of local shards.
  public struct Subtree: Sendable {
    /// Local shards that are its leaves.
    public let leaves: Range<Int>
    /// For each leaf, how many inner nodes of the subtree are complete once that leaf is.
    public let mergesAfterLeaf: [Int]
  }

  /// T.
  public let timesteps: Int
  /// B, the rank's lanes.
  public let lanes: Int
  /// The rank's lanes of each of its shards, counted from the rank's first lane.
  public let shardLanes: [Range<Int>]
  /// Row t·B + lane of every place of the chains; T·B of them.
  public let order: [Int32]
  /// Places of a local shard's chain: `order[shardStart[s] ..< shardStart[s + 1]]`.
  public let shardStart: [Int]
  /// What the rank's shards sum up to: one gradient for each.
  public let subtrees: [Subtree]

  /// - Parameters:
  ///   - timesteps: T.
  ///   - shardLanes: the lanes of each of the rank's shards, ascending, together 0 ..< B. Ranges may be empty.
  ///   - shards: the rank's shards among all.
  ///   - shardCount: S, leaves of the whole tree.
  public init(timesteps: Int, shardLanes: [Range<Int>], shards: Range<Int>, shardCount: Int) {
    precondition(shards.count == shardLanes.count, "one range of lanes for each shard")
    self.timesteps = timesteps
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
      return Subtree(leaves: leaves, mergesAfterLeaf: merges)
    }
  }

  /// The same lanes in the same shards, with one row a lane: the chains of a head at the last timestep, lanes ascending.
  public var ofOneTimestep: ShardedRows { ShardedRows(self, timesteps: 1) }

  private init(_ other: ShardedRows, timesteps: Int) {
    self.timesteps = timesteps
    (lanes, shardLanes, subtrees) = (other.lanes, other.shardLanes, other.subtrees)
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

  /// One shard that holds every lane: what a single process without a contract would do.
  public init(timesteps: Int, lanes: Int) {
    self.init(timesteps: timesteps, shardLanes: [0..<lanes], shards: 0..<1, shardCount: 1)
  }
}
