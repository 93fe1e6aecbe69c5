import Plan

/// Which ranks are on which node, and which of them speak for it.
///
/// On every node as many ranks are drivers as the node with the fewest ranks has. The drivers of the same index on all
/// nodes are peers: they add up the same range of the gradient between the nodes, and each of them updates it in its
/// node's copy of the parameters.
package struct NodePlan: Sendable, Equatable {
  /// The ranks of each node, ascending; nodes in the order of their first rank.
  let nodes: [[Int]]

  /// - Parameter firstRanks: for each rank the lowest rank of its node.
  init(firstRanks: [Int]) {
    nodes = Set(firstRanks).sorted().map { first in firstRanks.indices.filter { firstRanks[$0] == first } }
  }

  /// Drivers of each node.
  var drivers: Int { nodes.map(\.count).min() ?? 0 }

  /// The node of a rank, and the rank's index on it.
  func place(ofRank rank: Int) -> (node: Int, index: Int) {
    for (node, ranks) in nodes.enumerated() {
      if let index = ranks.firstIndex(of: rank) { return (node, index) }
    }
    preconditionFailure("rank \(rank) is on no node")
  }

  /// The subtrees of each node's shards, wherever on the tree its ranks are.
  func subtrees(shards: [Range<Int>], shardCount: Int) -> [[Range<Int>]] {
    nodes.map { ranks in
      var isHere = [Bool](repeating: false, count: shardCount)
      for rank in ranks { for shard in shards[rank] { isHere[shard] = true } }
      return SummationTree.subtrees(ofLeaves: isHere)
    }
  }
}
