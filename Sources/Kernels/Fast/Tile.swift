/// A block of a product held in registers: `rows` × 16 elements. Six rows fill the sixteen registers of AVX2: twelve
/// for the sums, two for a row of the packed matrix, one for the element that multiplies it.
@usableFromInline
typealias Tile<let rows: Int> = InlineArray<rows, Vector>

/// Rows of the largest tile.
@usableFromInline let tileRows = 6

/// sums[i, :] += Σ_k a[k · termStride + i · rowStride] · w[k, :], k ascending, one chain of fused multiply-adds for each
/// element.
///
/// Four terms a turn of the loop: where another thread of the same core takes half of its decoders the loop's own
/// instructions count, and one term a turn was seen to cost a tenth of the speed.
@inline(__always)
func addTerms<let rows: Int>(
  _ sums: inout Tile<rows>, a: UnsafePointer<Float>, rowStride: Int, termStride: Int, w: UnsafePointer<Float>,
  count: Int
) {
  var (a, w, turns, rest) = (a, w, count &>> 2, count & 3)
  while turns > 0 {
    addTerm(&sums, a, rowStride, w)
    addTerm(&sums, a + termStride, rowStride, w + vectorWidth)
    addTerm(&sums, a + 2 &* termStride, rowStride, w + 2 &* vectorWidth)
    addTerm(&sums, a + 3 &* termStride, rowStride, w + 3 &* vectorWidth)
    a += 4 &* termStride
    w += 4 &* vectorWidth
    turns &-= 1
  }
  while rest > 0 {
    addTerm(&sums, a, rowStride, w)
    a += termStride
    w += vectorWidth
    rest &-= 1
  }
}

/// One term of every sum of a tile.
@inline(__always)
private func addTerm<let rows: Int>(
  _ sums: inout Tile<rows>, _ a: UnsafePointer<Float>, _ rowStride: Int, _ w: UnsafePointer<Float>
) {
  let row = Vector(w)
  for i in 0..<rows { sums[i] = sums[i].addingProduct(Vector(repeating: a[i &* rowStride]), row) }
}

/// c[i, :] = start[i, :] + Σ_k a[i, k] · w[k, :] for `rows` rows. `start` with stride 0 begins every row from the same 16
/// values.
@inline(__always)
func multiplyTile<let rows: Int>(
  _: Tile<rows>.Type, start: UnsafePointer<Float>, startStride: Int, a: UnsafePointer<Float>, aStride: Int,
  w: UnsafePointer<Float>, depth: Int, c: UnsafeMutablePointer<Float>, cStride: Int
) {
  var sums = Tile<rows>(repeating: .zero)
  for i in 0..<rows { sums[i] = Vector(start + i &* startStride) }
  addTerms(&sums, a: a, rowStride: aStride, termStride: 1, w: w, count: depth)
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
