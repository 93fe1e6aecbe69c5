import CProcessor

/// A matrix W [K, N] copied once into the order in which products read it: panels of 16 columns, each [K, 16]
/// contiguous, the last one filled up with zeros. Weights change once an update and are read 2·T times between, so the
/// copy costs little and every later read is sequential.
package struct PackedMatrix: ~Copyable {
  /// K, terms of each sum.
  package let depth: Int
  /// N, columns without padding.
  package let columns: Int
  @usableFromInline let storage: FloatBuffer

  /// Room for a K × N matrix, all zeros, in memory of its own or in an arena's.
  package init(depth: Int, columns: Int, in arena: FloatArena? = nil) {
    self.depth = depth
    self.columns = columns
    storage = arena.take(depth * padded(columns))
  }

  /// Bytes that a packed K × N matrix takes.
  package static func bytes(depth: Int, columns: Int) -> Int {
    depth * padded(columns) * MemoryLayout<Float>.stride
  }

  /// Panels of 16 columns.
  package var panels: Int { padded(columns) / vectorWidth }

  /// The first element of a panel.
  @inlinable
  package func panel(_ index: Int) -> UnsafeMutablePointer<Float> {
    storage.pointer + index * depth * vectorWidth
  }

  /// One element, for tests and reference code.
  package subscript(k: Int, n: Int) -> Float {
    precondition(k >= 0 && k < depth && n >= 0 && n < columns, "element outside the matrix")
    return panel(n / vectorWidth)[k * vectorWidth + n % vectorWidth]
  }

  /// W[firstRow + k, firstColumn + n] = source[k, n] for a block of `rows` × `columns` elements; `source` is row-major.
  package borrowing func pack(
    _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int, firstRow: Int = 0, firstColumn: Int = 0
  ) {
    // So many rows of a panel are whole lines one behind the other, and more streams of the source than a core follows
    // by itself.
    for first in Swift.stride(from: 0, to: rows, by: vectorWidth) {
      let some = first..<min(first + vectorWidth, rows)
      var n = 0
      while n < columns {
        let column = firstColumn + n
        let run = min(columns - n, vectorWidth - column % vectorWidth)
        let place = panel(column / vectorWidth) + (firstRow * vectorWidth + column % vectorWidth)
        for k in some {
          let (from, to) = (source + (k &* stride &+ n), place + k &* vectorWidth)
          processor_prefetch(from + 4 &* vectorWidth)
          if run == vectorWidth { Vector(from).stream(to) } else { to.update(from: from, count: run) }
        }
        n &+= run
      }
    }
  }

  /// W[firstRow + k, firstColumn + n] = source[n, k]: the transpose of a block of `columns` × `rows` elements of
  /// `source`, row-major, without a transposed copy between.
  package borrowing func packTransposed(
    _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int, firstRow: Int = 0, firstColumn: Int = 0
  ) {
    var n = 0
    while n < columns {
      let column = firstColumn + n
      let run = min(columns - n, vectorWidth - column % vectorWidth)
      let to = panel(column / vectorWidth) + (firstRow * vectorWidth + column % vectorWidth)
      let from = source + n * stride
      let wholeBlocks = run == vectorWidth ? rows & ~7 : 0
      for k in Swift.stride(from: 0, to: wholeBlocks, by: 8) {
        let left = transposedBlock(from + k, stride: stride)
        let right = transposedBlock(from + (8 &* stride &+ k), stride: stride)
        for i in 0..<8 { Vector(lowHalf: left[i], highHalf: right[i]).stream(to + (k &+ i) &* vectorWidth) }
      }
      for i in 0..<run {
        for k in wholeBlocks..<rows { to[k &* vectorWidth &+ i] = from[i &* stride &+ k] }
      }
      n += run
    }
  }
}

/// The transpose of eight by eight numbers.
///
/// Three times the eight rows are dealt like cards: rows i and i + 4 become rows 2i and 2i + 1, number by number in turn.
@inline(__always)
private func transposedBlock(_ source: UnsafePointer<Float>, stride: Int) -> InlineArray<8, SIMD8<Float>> {
  var rows = InlineArray<8, SIMD8<Float>>(repeating: .zero)
  for i in 0..<8 { rows[i] = UnsafeRawPointer(source + i &* stride).loadUnaligned(as: SIMD8<Float>.self) }
  for _ in 0..<3 {
    let dealt = rows
    for i in 0..<4 {
      rows[2 &* i].evenHalf = dealt[i].lowHalf
      rows[2 &* i].oddHalf = dealt[i &+ 4].lowHalf
      rows[2 &* i &+ 1].evenHalf = dealt[i].highHalf
      rows[2 &* i &+ 1].oddHalf = dealt[i &+ 4].highHalf
    }
  }
  return rows
}
