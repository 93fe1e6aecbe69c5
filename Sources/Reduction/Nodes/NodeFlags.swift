import MPI
import Synchronization

/// Flags in memory that the ranks of a node share: how many parts of the gradient each rank has finished, and which rows
/// of the embedding it has.
final class NodeFlags {
  private let shared: NodeMemory
  private let rows: Int
  /// Behind the counter, which has a cache line of its own.
  private static let rowsOffset = 64

  /// Collective over the node.
  init(rows: Int, node: Communicator) throws {
    self.rows = rows
    shared = try NodeMemory(
      byteCount: NodeFlags.rowsOffset + RowBits.wordCount(rows: rows) * MemoryLayout<UInt64>.stride, node: node)
  }

  private func finished(_ rank: Int) -> UnsafeMutablePointer<Atomic<Int>> {
    shared.memory(ofRank: rank).assumingMemoryBound(to: Atomic<Int>.self)
  }

  private func seen(_ rank: Int) -> RowBits {
    RowBits(
      (shared.memory(ofRank: rank) + NodeFlags.rowsOffset).assumingMemoryBound(to: UInt64.self), rows: rows)
  }

  /// This rank has finished `parts` since the start of the program, and everything that belongs to them is in memory.
  func publish(finished parts: Int) { finished(shared.share.index).pointee.store(parts, ordering: .releasing) }

  /// Whether every rank of the node has finished `parts`; then everything that belongs to them can be read.
  func allFinished(_ parts: Int) -> Bool {
    (0..<shared.share.count).allSatisfy { finished($0).pointee.load(ordering: .acquiring) >= parts }
  }

  /// The rows that this rank has, before it finishes the embedding.
  func publish(rows: [Int32]) { seen(shared.share.index).set(rows) }

  /// The rows that any rank of the node has, after all have finished the embedding.
  func appendRows(to united: inout [Int32]) {
    RowBits.forEachUnited(count: shared.share.count, seen, in: 0..<rows) { united.append(Int32($0)) }
  }
}
