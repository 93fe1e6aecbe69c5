import CProcessor

/// Sixteen floats: two AVX2 registers, one AVX-512 register. The kernels' tiles and panels are this wide, and rows of
/// activations are padded to a multiple of it, so that no loop over units has a tail.
public typealias Vector = SIMD16<Float>

/// Floats in a `Vector`.
@inlinable
public var vectorWidth: Int { 16 }

/// `count` rounded up to whole vectors: the stride of a row of activations.
@inlinable
public func padded(_ count: Int) -> Int { (count &+ 15) & ~15 }

extension Vector {
  /// Sixteen consecutive floats.
  @inlinable @inline(__always)
  public init(_ source: UnsafePointer<Float>) {
    self = UnsafeRawPointer(source).loadUnaligned(as: Vector.self)
  }

  /// The first `count` of sixteen floats, and zeros behind them.
  @inlinable
  public init(_ source: UnsafePointer<Float>, count: Int) {
    self = .zero
    for i in 0..<Swift.min(count, 16) { self[i] = source[i] }
  }

  /// Writes sixteen consecutive floats.
  @inlinable @inline(__always)
  public func store(_ destination: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(destination).storeBytes(of: self, as: Vector.self)
  }

  /// Writes sixteen consecutive floats past the caches, to where a cache line begins: the line need not be read first,
  /// and drives out nothing. Other threads find them only after `finishStreams`.
  @inlinable @inline(__always)
  public func stream(_ destination: UnsafeMutablePointer<Float>) { processor_stream(destination, self) }

  /// Writes the first `count` of sixteen floats and leaves what is behind them.
  @inlinable
  public func store(_ destination: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<Swift.min(count, 16) { destination[i] = self[i] }
  }

  /// Writes the first `columns` lanes; all sixteen at once where that is all of them.
  @inlinable @inline(__always)
  func store(_ destination: UnsafeMutablePointer<Float>, columns: Int) {
    if columns == vectorWidth { store(destination) } else { store(destination, count: columns) }
  }

  /// The first `columns` lanes, zeros behind them; all sixteen at once where that is all of them.
  @inlinable @inline(__always)
  init(_ source: UnsafePointer<Float>, columns: Int) {
    if columns == vectorWidth { self.init(source) } else { self.init(source, count: columns) }
  }

  /// The sum of the sixteen lanes in one fixed order, halves upon halves: 8 + 8, 4 + 4, 2 + 2, 1 + 1.
  @inlinable
  public var fixedOrderSum: Float {
    let eight = lowHalf + highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }
}

/// What this thread has streamed comes before whatever it writes next.
@inlinable
public func finishStreams() { processor_finish_streams() }
