import MPI

/// A segment of memory for each rank of a node, zero at first, which all of them read and write; or, for a rank that shares
/// with nobody, a segment of its own.
final class NodeWindow {
  /// Who shares, and which of them this rank is.
  let share: (index: Int, count: Int)

  private let shared: SharedWindow?
  private let own: UnsafeMutableRawPointer?

  /// `byteCount` bytes for this rank, in whole cache lines. Collective over `node`; nil for a rank alone.
  init(byteCount: Int, node: Communicator?) throws {
    if let node {
      shared = try SharedWindow(byteCount: byteCount, on: node)
      own = nil
      share = (node.rank, node.size)
    } else {
      let memory = UnsafeMutableRawPointer.allocate(byteCount: max(64, byteCount), alignment: 64)
      memory.initializeMemory(as: UInt8.self, repeating: 0, count: max(64, byteCount))
      shared = nil
      own = memory
      share = (0, 1)
    }
  }

  deinit { own?.deallocate() }

  /// The first byte of a rank's segment.
  func segment(ofRank rank: Int) -> UnsafeMutableRawPointer { own ?? shared!.segment(ofRank: rank) }

  /// Waits for all ranks; what they wrote before is seen by all afterwards.
  func barrier() throws { try shared?.barrier() }
}
