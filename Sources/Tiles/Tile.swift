/// A block of a product held in registers: `rows` × 16·`panels` elements, as [row][panel].
///
/// Six rows of one panel fill the sixteen registers of AVX2: twelve for the sums, two for a row of the packed matrix,
/// one for the element that multiplies it. AVX-512 has twice as many registers of twice the width, and a sum of its own
/// for each of eight multiply-adds under way.
public typealias Tile<let rows: Int, let panels: Int> = InlineArray<rows, InlineArray<panels, Vector>>

/// Rows of the tallest tile on sixteen registers.
@inlinable
public var tileRows: Int { 6 }

/// Columns of the blocks in which a weight gradient packs A: rows of the tallest tile on thirty-two registers.
@inlinable
public var blockColumns: Int { 12 }

extension InlineArray where Element: ~Copyable {
  /// A tile of zeros.
  @inlinable @inline(__always)
  public static func zeros<let panels: Int>() -> Self where Element == InlineArray<panels, Vector> {
    Self(repeating: InlineArray<panels, Vector>(repeating: .zero))
  }
}

/// sums[i][p] += Σ_k a[k · termStride + i · rowStride] · w[p · panelStride + 16k ..< … + 16], k ascending, one chain of
/// fused multiply-adds for each element.
///
/// Four terms a turn of the loop: where another thread of the same core takes half of its decoders the loop's own
/// instructions count, and one term a turn was seen to cost a tenth of the speed.
@inlinable @inline(__always)
func addTerms<let rows: Int, let panels: Int>(
  _ sums: inout Tile<rows, panels>, a: UnsafePointer<Float>, rowStride: Int, termStride: Int,
  w: UnsafePointer<Float>, panelStride: Int, count: Int, ahead: TileAhead
) {
  var (a, w, turns, rest, ahead) = (a, w, count &>> 2, count & 3, ahead)
  while turns > 0 {
    ahead.advance(panels: panels)
    addTerm(&sums, a, rowStride, w, panelStride)
    addTerm(&sums, a + termStride, rowStride, w + vectorWidth, panelStride)
    addTerm(&sums, a + 2 &* termStride, rowStride, w + 2 &* vectorWidth, panelStride)
    addTerm(&sums, a + 3 &* termStride, rowStride, w + 3 &* vectorWidth, panelStride)
    a += 4 &* termStride
    w += 4 &* vectorWidth
    turns &-= 1
  }
  while rest > 0 {
    addTerm(&sums, a, rowStride, w, panelStride)
    a += termStride
    w += vectorWidth
    rest &-= 1
  }
}

/// One term of every sum of a tile.
@inlinable @inline(__always)
func addTerm<let rows: Int, let panels: Int>(
  _ sums: inout Tile<rows, panels>, _ a: UnsafePointer<Float>, _ rowStride: Int, _ w: UnsafePointer<Float>,
  _ panelStride: Int
) {
  var row = InlineArray<panels, Vector>(repeating: .zero)
  for p in 0..<panels { row[p] = Vector(w + p &* panelStride) }
  for i in 0..<rows {
    let x = Vector(repeating: a[i &* rowStride])
    for p in 0..<panels { sums[i][p] = sums[i][p].addingProduct(x, row[p]) }
  }
}
