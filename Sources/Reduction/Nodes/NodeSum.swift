import Kernels

/// Adds up the gradients of the ranks of a node, read where they are, to one for each subtree of the node's shards.
package final class NodeSum {
  /// The node's sums; only ranges that were added up take memory.
  package let sums: GradientMemory

  private let treeSums: [TreeSum]
  private let scratch: FloatBuffer
  /// For each subtree of the node, the gradients of which it is the sum.
  private let sources: [[UnsafePointer<Float>]]

  /// - Parameters:
  ///   - count: elements of one gradient.
  ///   - gradient: the gradient of a subtree of one of the node's ranks.
  package init(
    _ terms: NodeTerms, count: Int, gradient: (_ rank: Int, _ subtree: Int) -> UnsafeMutablePointer<Float>
  ) throws {
    sources = terms.terms.map { $0.map { UnsafePointer(gradient($0.rank, $0.subtree)) } }
    treeSums = terms.treeSums
    scratch = FloatBuffer(count: treeSums.map(\.scratchCount).max() ?? 0)
    sums = try GradientMemory(count: count, subtrees: treeSums.count)
  }

  /// Sums a range of the flat gradient.
  package func add(_ range: Range<Int>) {
    for (subtree, treeSum) in treeSums.enumerated() {
      treeSum.add(
        sources[subtree], at: range.lowerBound, into: sums.gradient(subtree) + range.lowerBound, count: range.count,
        scratch: scratch.pointer)
    }
  }
}
