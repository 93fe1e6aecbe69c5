/// A fixed number of floats in memory aligned to a cache line, all +0.0 at first. Owns its memory, or keeps the owner of
/// it: not copyable, freed when it goes.
public struct FloatBuffer: ~Copyable, @unchecked Sendable {
  /// The first float.
  public let pointer: UnsafeMutablePointer<Float>
  /// How many floats there are.
  public let count: Int
  /// What the memory belongs to; nil where it is this buffer's own.
  private let owner: AnyObject?

  /// Allocates `count` zeros.
  /// - Precondition: `count` ≥ 0.
  public init(count: Int) {
    precondition(count >= 0, "a buffer cannot hold \(count) floats")
    self.count = count
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    pointer = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      .bindMemory(to: Float.self, capacity: max(count, 1))
    pointer.initialize(repeating: 0, count: count)
    owner = nil
  }

  /// Floats that are there already, as long as `owner` lives.
  public init(pointer: UnsafeMutablePointer<Float>, count: Int, owner: AnyObject) {
    self.pointer = pointer
    self.count = count
    self.owner = owner
  }

  deinit { if owner == nil { pointer.deallocate() } }

  /// Sets every float to +0.0.
  public func zero() { pointer.update(repeating: 0, count: count) }
}
