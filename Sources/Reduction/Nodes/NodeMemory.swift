import Glibc
import MPI
import Problems

/// Memory of each rank of a node, zero at first, which all of them read and write; or, of a rank that shares with
/// nobody, for itself.
package final class NodeMemory {
  /// Who shares, and which of them this rank is.
  package let share: (index: Int, count: Int)

  private let shared: SharedWindow?
  private let own: UnsafeMutableRawPointer?

  /// `byteCount` bytes for this rank, in whole cache lines. Collective over `node`; nil for a rank alone.
  package init(byteCount: Int, node: Communicator?) throws {
    if let node {
      do {
        shared = try SharedWindow(byteCount: byteCount, on: node)
      } catch {
        throw Problem(
          .internalError,
          "out of memory — expected \(byteCount >> 20) MB more in memory that ranks share, got none "
            + "(\(error))")
      }
      own = nil
      share = (node.rank, node.size)
    } else {
      shared = nil
      // Zeros that take no memory before they are touched.
      guard let memory = calloc(1, byteCount + 64) else {
        throw Problem(.internalError, "out of memory — expected \(byteCount >> 20) MB more for this rank, got none")
      }
      own = memory
      share = (0, 1)
    }
  }

  deinit { free(own) }

  /// The first byte of a rank's memory.
  package func memory(ofRank rank: Int) -> UnsafeMutableRawPointer {
    own?.alignedUp(toMultipleOf: 64) ?? shared!.segment(ofRank: rank)
  }

  /// Waits for all ranks; what they wrote before is seen by all afterwards.
  package func barrier() throws { try shared?.barrier() }
}
