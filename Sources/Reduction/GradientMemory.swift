import Kernels
import MPI

/// The gradients of a rank, one whole gradient for each subtree of its shards, and behind them those that wait between
/// its passes for the other half of a subtree; ranks that share memory see each other's. A class because the requests
/// of MPI keep it alive while they write into it.
package final class GradientMemory {
  /// Elements of one gradient.
  package let count: Int
  /// Subtrees of the rank's shards, so gradients at the end of a step.
  package let subtrees: Int
  private let shared: NodeMemory

  /// All +0.0. Collective over `node`; nil for a rank that shares with nobody.
  /// - Parameter gradients: all that the rank's passes need; nil for those of the subtrees alone.
  package init(count: Int, subtrees: Int, gradients: Int? = nil, node: Communicator? = nil) throws {
    self.count = count
    self.subtrees = subtrees
    let gradients = max(1, gradients ?? subtrees)
    shared = try NodeMemory(byteCount: count * gradients * MemoryLayout<Float>.stride, node: node)
  }

  /// The gradient of a subtree of the rank's shards. That of subtree 0 holds the result of the reduction in the end.
  package func gradient(_ subtree: Int) -> UnsafeMutablePointer<Float> { gradient(subtree, ofRank: shared.share.index) }

  /// The gradient of a subtree of another rank that shares memory.
  package func gradient(_ subtree: Int, ofRank rank: Int) -> UnsafeMutablePointer<Float> {
    shared.memory(ofRank: rank).assumingMemoryBound(to: Float.self) + subtree * count
  }
  /// Adds the gradients of this rank's subtrees to the first of them, one after the other.
  package func addSubtrees(in range: Range<Int>) {
    for subtree in 1..<max(1, subtrees) {
      add(gradient(0) + range.lowerBound, gradient(subtree) + range.lowerBound, count: range.count)
    }
  }
}
