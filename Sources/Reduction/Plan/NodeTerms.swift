/// Which gradients of a node's ranks add up to each subtree of the node's shards.
package struct NodeTerms: Sendable {
  /// The gradient of one subtree of a rank's shards.
  package struct Term: Equatable, Sendable {
    /// Index of the rank on the node.
    package let rank: Int
    /// Index of the subtree on the rank.
    package let subtree: Int
  }

  /// The terms of each subtree of the node, in the order of the tree.
  package let terms: [[Term]]
  /// How they are added.
  package let treeSums: [TreeSum]

  /// - Parameters:
  ///   - nodeSubtrees: of the node's shards.
  ///   - rankSubtrees: of the shards of each rank of the node.
  package init(nodeSubtrees: [Range<Int>], rankSubtrees: [[Range<Int>]]) {
    let gradients = rankSubtrees.enumerated().flatMap { rank, subtrees in
      subtrees.enumerated().map { (leaves: $1, term: Term(rank: rank, subtree: $0)) }
    }.sorted { $0.leaves.lowerBound < $1.leaves.lowerBound }
    let chosen = nodeSubtrees.map { node in gradients.filter { node.contains($0.leaves.lowerBound) } }
    terms = chosen.map { $0.map(\.term) }
    treeSums = zip(nodeSubtrees, chosen).map { TreeSum(root: $0, subtrees: $1.map(\.leaves)) }
  }
}
