/// Memory that is dealt out in pieces, each to the end of the arena's owner: what several processes share must lie in
/// one block, and at the same place in each of them.
package final class FloatArena {
  private let memory: UnsafeMutableBufferPointer<Float>
  private let owner: AnyObject
  private var used = 0

  /// - Parameters:
  ///   - memory: zeros, aligned to a cache line.
  ///   - owner: kept as long as any piece lives.
  package init(memory: UnsafeMutableBufferPointer<Float>, owner: AnyObject) {
    precondition(Int(bitPattern: memory.baseAddress) % 64 == 0, "an arena begins with a cache line")
    self.memory = memory
    self.owner = owner
  }

  /// Floats that a piece of `count` takes: whole cache lines.
  package static func taken(by count: Int) -> Int { padded(count) }

  /// The next `count` floats.
  /// - Precondition: as many are left.
  package func take(_ count: Int) -> FloatBuffer {
    let end = used + FloatArena.taken(by: count)
    precondition(end <= memory.count, "an arena of \(memory.count) floats has not \(end)")
    defer { used = end }
    return FloatBuffer(pointer: memory.baseAddress! + used, count: count, owner: owner)
  }
}

extension FloatArena? {
  /// A piece of the arena, or memory of its own where there is none.
  package func take(_ count: Int) -> FloatBuffer { self?.take(count) ?? FloatBuffer(count: count) }
}

/// One of several equal shares of some work.
package struct Share: Equatable, Sendable {
  /// Which one, from 0.
  package let index: Int
  /// How many there are.
  package let count: Int

  /// Share `index` of `count`.
  package init(index: Int, count: Int) {
    precondition((0..<count).contains(index), "share \(index) of \(count)")
    self.index = index
    self.count = count
  }

  /// All of it.
  package static let whole = Share(index: 0, count: 1)

  /// Those of 0 ..< n that are this share's, in whole groups of `unit`.
  package func of(_ n: Int, unit: Int = 1) -> Range<Int> {
    let units = (n + unit - 1) / unit
    return min(n, index * units / count * unit)..<min(n, (index + 1) * units / count * unit)
  }
}
