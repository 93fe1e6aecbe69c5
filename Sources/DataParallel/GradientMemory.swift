import Kernels

/// The gradients of a rank, one whole gradient for each subtree of its shards. A class because the requests of MPI keep it alive while they write into it.
final class GradientMemory {
  /// Numbers of one gradient.
  let count: Int
  /// Subtrees of the rank's shards, so gradients.
  let subtrees: Int
  private let gradients: FloatBuffer

  init(count: Int, subtrees: Int) {
    self.count = count
    self.subtrees = subtrees
    gradients = FloatBuffer(count: count * max(1, subtrees))
  }

  /// The gradient of a subtree of the rank's shards. That of subtree 0 holds the result of the reduction in the end.
  func gradient(_ subtree: Int) -> UnsafeMutablePointer<Float> { gradients.pointer + subtree * count }
}
