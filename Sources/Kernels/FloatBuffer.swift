import Glibc

/// A fixed number of floats in memory aligned to a cache line, all +0.0 at first. Owns its memory, or keeps the owner
/// of it: not copyable, freed when it goes.
package struct FloatBuffer: ~Copyable, @unchecked Sendable {
  /// The first float.
  package let pointer: UnsafeMutablePointer<Float>
  /// How many floats there are.
  package let count: Int
  /// What the memory belongs to; nil where it is this buffer's own.
  private let owner: AnyObject?

  /// Allocates `count` zeros.
  /// - Precondition: `count` ≥ 0.
  package init(count: Int) {
    precondition(count >= 0, "a buffer cannot hold \(count) floats")
    self.count = count
    pointer = FloatBuffer.memory(byteCount: max(count, 1) * MemoryLayout<Float>.stride)
      .bindMemory(to: Float.self, capacity: max(count, 1))
    pointer.initialize(repeating: 0, count: count)
    owner = nil
  }

  /// Floats that are there already, as long as `owner` lives.
  package init(pointer: UnsafeMutablePointer<Float>, count: Int, owner: AnyObject) {
    self.pointer = pointer
    self.count = count
    self.owner = owner
  }

  /// Large memory lies on large pages where the system has them for the asking: products walk through tens of
  /// megabytes, and a core knows the places of a few thousand pages by heart. Where it has none the memory is as good.
  private static func memory(byteCount: Int) -> UnsafeMutableRawPointer {
    guard byteCount >= 2 * hugePageBytes else { return .allocate(byteCount: byteCount, alignment: 64) }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: hugePageBytes)
    madvise(memory, byteCount, MADV_HUGEPAGE)
    return memory
  }

  /// Of x86-64.
  private static let hugePageBytes = 2 << 20

  deinit { if owner == nil { pointer.deallocate() } }

  /// Sets every float to +0.0.
  package func zero() { pointer.update(repeating: 0, count: count) }
}
