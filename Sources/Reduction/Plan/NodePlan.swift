import Plan

/// Which ranks are on which node, and which of them are its drivers.
///
/// Every node has as many drivers as the smallest node has ranks. The drivers of the same index on all nodes are peers:
/// they add up the same range of the gradient between the nodes, and each of them updates it in its node's copy of the
/// parameters.
package struct NodePlan: Sendable, Equatable {
  /// The ranks of each node, ascending; nodes in the order of their first rank.
  package let nodes: [[Int]]

  /// - Parameter firstRanks: for each rank the lowest rank of its node.
  package init(firstRanks: [Int]) {
    nodes = Set(firstRanks).sorted().map { first in firstRanks.indices.filter { firstRanks[$0] == first } }
  }

  /// Drivers of each node.
  package var drivers: Int { nodes.map(\.count).min() ?? 0 }

  /// The node of a rank, and the rank's index on it.
  package func place(ofRank rank: Int) -> (node: Int, index: Int) {
    for (node, ranks) in nodes.enumerated() {
      if let index = ranks.firstIndex(of: rank) { return (node, index) }
    }
    preconditionFailure("rank \(rank) is on no node")
  }

  /// Whether a rank is a driver of its node.
  package func isDriver(rank: Int) -> Bool { place(ofRank: rank).index < drivers }

  /// For each part what the driver of this index, which must be one, owns on its node.
  package func ownedRanges(parts: [Range<Int>], driver: Int) -> [Range<Int>] {
    let slices = GradientParts(parts: parts, ranks: drivers)
    return parts.indices.map { slices.slice(ofPart: $0, rank: driver) }
  }

  /// For each rank the index of the slice whose squares it tells: all nodes have the same sums, so drivers of the first
  /// node do. Nil for all others.
  package func normOwners() -> [Int?] {
    (0..<nodes.reduce(0) { $0 + $1.count }).map { rank in
      let place = place(ofRank: rank)
      return place.node == 0 && place.index < drivers ? place.index : nil
    }
  }

  /// The subtrees of each node's shards, wherever on the tree its ranks are.
  package func subtrees(shards: [Range<Int>], shardCount: Int) -> [[Range<Int>]] {
    nodes.map { ranks in
      var isHere = [Bool](repeating: false, count: shardCount)
      for rank in ranks { for shard in shards[rank] { isHere[shard] = true } }
      return SummationTree.subtrees(ofLeaves: isHere)
    }
  }

  /// What the drivers of an index add up between the nodes, each node being one peer.
  /// - Parameter subtrees: those of each node's shards.
  package func exchange(_ plan: ReductionPlan, driver: Int, subtrees: [[Range<Int>]]) -> ExchangePlan {
    ExchangePlan(
      ranges: ownedRanges(parts: plan.parts, driver: driver), table: plan.sendsRows ? plan.embedding : nil,
      shardCount: plan.shardCount, subtrees: subtrees)
  }
}
