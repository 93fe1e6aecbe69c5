/// A block of a product held in registers: `rows` × 16 elements. Six rows fill the sixteen registers of AVX2: twelve
/// for the sums, two for a row of the packed matrix, one for the element that multiplies it.
@usableFromInline
typealias Tile<let rows: Int> = InlineArray<rows, Vector>

/// Rows of the largest tile.
@usableFromInline let tileRows = 6

/// c[i, :] = start[i, :] + Σ_k a[i, k] · w[k, :] for `rows` rows, k ascending, one chain of fused multiply-adds for
/// each element. `start` with stride 0 begins every row from the same 16 values.
@inline(__always)
func multiplyTile<let rows: Int>(
  _: Tile<rows>.Type, start: UnsafePointer<Float>, startStride: Int, a: UnsafePointer<Float>, aStride: Int,
  w: UnsafePointer<Float>, depth: Int, c: UnsafeMutablePointer<Float>, cStride: Int
) {
  var sums = Tile<rows>(repeating: .zero)
  for i in 0..<rows { sums[i] = Vector(start + i &* startStride) }
  for k in 0..<depth {
    let row = Vector(w + k &* vectorWidth)
    for i in 0..<rows {
      sums[i] = sums[i].addingProduct(Vector(repeating: a[i &* aStride &+ k]), row)
    }
  }
  for i in 0..<rows { sums[i].store(c + i &* cStride) }
}

/// The same for one row and four neighbouring panels, `panelStride` floats apart: a single panel would leave two chains,
/// and a fused multiply-add takes as long as eight of them side by side.
func multiplyRowOfFourPanels(
  start: UnsafePointer<Float>, a: UnsafePointer<Float>, w: UnsafePointer<Float>, panelStride: Int, depth: Int,
  c: UnsafeMutablePointer<Float>
) {
  var sums = Tile<4>(repeating: .zero)
  for i in 0..<4 { sums[i] = Vector(start + i &* vectorWidth) }
  for k in 0..<depth {
    let x = Vector(repeating: a[k])
    for i in 0..<4 { sums[i] = sums[i].addingProduct(x, Vector(w + (i &* panelStride &+ k &* vectorWidth))) }
  }
  for i in 0..<4 { sums[i].store(c + i &* vectorWidth) }
}
