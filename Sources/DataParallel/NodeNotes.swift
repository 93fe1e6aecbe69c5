import MPI
import Synchronization

/// What the ranks of a node tell each other during a step: how many parts of the gradient they have finished, and which rows
/// of the embedding they have.
final class NodeNotes {
  private let window: NodeWindow
  private let words: Int
  /// Behind the counter, which has a cache line of its own.
  private static let rowsOffset = 64

  /// Collective over the node.
  init(rows: Int, node: Communicator) throws {
    words = (rows + 63) / 64
    window = try NodeWindow(byteCount: NodeNotes.rowsOffset + words * MemoryLayout<UInt64>.stride, node: node)
  }

  private func finished(_ rank: Int) -> UnsafeMutablePointer<Atomic<Int>> {
    window.segment(ofRank: rank).assumingMemoryBound(to: Atomic<Int>.self)
  }

  private func bits(_ rank: Int) -> UnsafeMutablePointer<UInt64> {
    (window.segment(ofRank: rank) + NodeNotes.rowsOffset).assumingMemoryBound(to: UInt64.self)
  }

  /// This rank has so many finished parts since the start, and everything that belongs to them is in memory.
  func finish(parts: Int) { finished(window.share.index).pointee.store(parts, ordering: .releasing) }

  /// Whether every rank of the node has so many finished parts; then everything that belongs to them can be read.
  func allFinished(parts: Int) -> Bool {
    (0..<window.share.count).allSatisfy { finished($0).pointee.load(ordering: .acquiring) >= parts }
  }

  /// The rows that this rank has, before it finishes the embedding.
  func mark(_ rows: [Int32]) {
    let bits = bits(window.share.index)
    bits.update(repeating: 0, count: words)
    for row in rows { bits[Int(row) / 64] |= 1 << UInt64(row % 64) }
  }

  /// The rows that any rank of the node has, after all have finished the embedding.
  func appendRows(to rows: inout [Int32]) {
    for word in 0..<words {
      var seen = (0..<window.share.count).reduce(0) { $0 | bits($1)[word] }
      while seen != 0 {
        rows.append(Int32(word * 64 + seen.trailingZeroBitCount))
        seen &= seen - 1
      }
    }
  }
}
