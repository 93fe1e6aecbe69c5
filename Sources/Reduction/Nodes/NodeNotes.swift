import MPI
import Synchronization

/// What the ranks of a node tell each other during a step: how many parts of the gradient they have finished, and which
/// rows of the embedding they have.
final class NodeNotes {
  private let window: NodeWindow
  private let rows: Int
  /// Behind the counter, which has a cache line of its own.
  private static let rowsOffset = 64

  /// Collective over the node.
  init(rows: Int, node: Communicator) throws {
    self.rows = rows
    window = try NodeWindow(
      byteCount: NodeNotes.rowsOffset + RowBits.wordCount(rows: rows) * MemoryLayout<UInt64>.stride, node: node)
  }

  private func finished(_ rank: Int) -> UnsafeMutablePointer<Atomic<Int>> {
    window.segment(ofRank: rank).assumingMemoryBound(to: Atomic<Int>.self)
  }

  private func seen(_ rank: Int) -> RowBits {
    RowBits(
      (window.segment(ofRank: rank) + NodeNotes.rowsOffset).assumingMemoryBound(to: UInt64.self), rows: rows)
  }

  /// This rank has so many finished parts since the start, and everything that belongs to them is in memory.
  func finish(parts: Int) { finished(window.share.index).pointee.store(parts, ordering: .releasing) }

  /// Whether every rank of the node has so many finished parts; then everything that belongs to them can be read.
  func allFinished(parts: Int) -> Bool {
    (0..<window.share.count).allSatisfy { finished($0).pointee.load(ordering: .acquiring) >= parts }
  }

  /// The rows that this rank has, before it finishes the embedding.
  func mark(_ rows: [Int32]) { seen(window.share.index).set(rows) }

  /// The rows that any rank of the node has, after all have finished the embedding.
  func appendRows(to united: inout [Int32]) {
    RowBits.forEachUnited(count: window.share.count, seen, in: 0..<rows) { united.append(Int32($0)) }
  }
}
