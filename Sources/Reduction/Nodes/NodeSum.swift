import Kernels

/// Adds up the gradients of the ranks of a node, read where they are, to one for each subtree of the node's shards.
final class NodeSum {
  /// The node's sums; only ranges that were added up take memory.
  let sums: GradientMemory

  private let treeSums: [TreeSum]
  private let scratch: FloatBuffer
  /// For each subtree of the node, the gradients of which it is the sum.
  private let sources: [[UnsafePointer<Float>]]

  /// - Parameters:
  ///   - nodeSubtrees: of the node's shards.
  ///   - rankSubtrees: of the shards of each rank of the node.
  ///   - memory: the gradients of the node's ranks.
  init(nodeSubtrees: [Range<Int>], rankSubtrees: [[Range<Int>]], memory: GradientMemory) throws {
    let gradients = rankSubtrees.enumerated().flatMap { rank, subtrees in
      subtrees.enumerated().map { (leaves: $1, gradient: UnsafePointer(memory.gradient($0, ofRank: rank))) }
    }.sorted { $0.leaves.lowerBound < $1.leaves.lowerBound }
    let terms = nodeSubtrees.map { node in gradients.filter { node.contains($0.leaves.lowerBound) } }
    sources = terms.map { $0.map(\.gradient) }
    treeSums = zip(nodeSubtrees, terms).map { TreeSum(root: $0, subtrees: $1.map(\.leaves)) }
    scratch = FloatBuffer(count: treeSums.map(\.scratchCount).max() ?? 0)
    sums = try GradientMemory(count: memory.count, subtrees: nodeSubtrees.count)
  }

  /// Sums a range of the flat gradient.
  func add(_ range: Range<Int>) {
    for (subtree, treeSum) in treeSums.enumerated() {
      treeSum.add(
        sources[subtree], at: range.lowerBound, into: sums.gradient(subtree) + range.lowerBound, count: range.count,
        scratch: scratch.pointer)
    }
  }
}
