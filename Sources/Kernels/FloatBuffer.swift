/// A fixed number of floats in memory aligned to a cache line, all +0.0 at first. Owns its memory: not copyable, freed
/// when it goes.
public struct FloatBuffer: ~Copyable, @unchecked Sendable {
  /// The first float.
  public let pointer: UnsafeMutablePointer<Float>
  /// How many floats there are.
  public let count: Int

  /// Allocates `count` zeros.
  /// - Precondition: `count` ≥ 0.
  public init(count: Int) {
    precondition(count >= 0, "a buffer cannot hold \(count) floats")
    self.count = count
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    pointer = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      .bindMemory(to: Float.self, capacity: max(count, 1))
    pointer.initialize(repeating: 0, count: count)
  }

  deinit { pointer.deallocate() }

  /// Sets every float to +0.0.
  public func zero() { pointer.update(repeating: 0, count: count) }
}
