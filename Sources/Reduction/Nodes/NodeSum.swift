import Kernels

/// Adds up the gradients of the ranks of a node, read where they are, to one for each subtree of the node's shards.
final class NodeSum {
  /// The node's sums; only ranges that were added up take memory.
  let sums: GradientMemory

  private let treeSums: [TreeSum]
  private let scratch: FloatBuffer
  /// For each subtree of the node, the gradients of which it is the sum.
  private let sources: [[UnsafePointer<Float>]]

  /// - Parameter memory: the gradients of the node's ranks.
  init(_ terms: NodeTerms, memory: GradientMemory) throws {
    sources = terms.terms.map { $0.map { UnsafePointer(memory.gradient($0.subtree, ofRank: $0.rank)) } }
    treeSums = terms.treeSums
    scratch = FloatBuffer(count: treeSums.map(\.scratchCount).max() ?? 0)
    sums = try GradientMemory(count: memory.count, subtrees: treeSums.count)
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
