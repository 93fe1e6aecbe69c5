/// Bytes of X that stay in the caches while all panels of W pass: in the second level where W itself stays in the third;
/// where W comes from memory each time, more of X, so that it comes less often.
private func rowBlockBytes(weightBytes: Int) -> Int { weightBytes > 8 << 20 ? 2 << 20 : 192 << 10 }

/// Terms of a sum that one pass over the panels takes: 16 columns of them stay in the first caches.
private let depthBlock = 1024

/// Z[b, n] = start[b, n] + Σ_k X[b, k] · W[k, n], k ascending, one chain of fused multiply-adds an element.
///
/// X [B, K], W [K, N] packed, Z [B, padded N]; strides in floats. `start` [B, padded N] may be Z itself, or one row
/// (stride 0) such as a bias; Z must overlap nothing else. Columns of Z beyond N come out as `start` has them. The sum
/// of an element never depends on B, on blocking or on the width of registers: a row has the same bits whichever rank
/// computes it, and beside whichever rows.
///
/// `between` is called after each block of rows, of some 10⁸ operations: the caller may do something else meanwhile.
///
/// Cost 2·B·K·N flop. Truth: `Reference.multiply`.
public func multiply(
  rows: Int, x: UnsafePointer<Float>, xStride: Int, w: borrowing PackedMatrix, start: UnsafePointer<Float>,
  startStride: Int, z: UnsafeMutablePointer<Float>, zStride: Int, between: () -> Void = {}
) {
  guard w.depth > 0 else { return copyRows(start, startStride, to: z, zStride, rows: rows, columns: padded(w.columns)) }
  let blocks = (w.depth + depthBlock - 1) / depthBlock
  let depth = (w.depth + blocks - 1) / blocks
  let blockBytes = rowBlockBytes(weightBytes: PackedMatrix.bytes(depth: w.depth, columns: w.columns))
  let rowBlock = max(1, blockBytes / (tileRows * depth * MemoryLayout<Float>.stride)) * tileRows
  for first in stride(from: 0, to: rows, by: rowBlock) {
    let count = min(rowBlock, rows - first)
    for k in stride(from: 0, to: w.depth, by: depth) {
      // A block that is not the first goes on from the sums that it finds in Z: the same chain, so the same bits.
      multiplyBlock(
        rows: count, x: x + (first * xStride + k), xStride: xStride, w: w, k: k..<min(k + depth, w.depth),
        start: k == 0 ? start + first * startStride : UnsafePointer(z + first * zStride),
        startStride: k == 0 ? startStride : zStride, z: z + first * zStride, zStride: zStride)
    }
    between()
  }
}

/// All panels of one block of rows and of terms.
private func multiplyBlock(
  rows: Int, x: UnsafePointer<Float>, xStride: Int, w: borrowing PackedMatrix, k: Range<Int>,
  start: UnsafePointer<Float>, startStride: Int, z: UnsafeMutablePointer<Float>, zStride: Int
) {
  var panel = 0
  while rows == 1, panel + 4 <= w.panels {
    let column = panel * vectorWidth
    multiplyRowOfFourPanels(
      start: start + column, a: x, w: w.panel(panel) + k.lowerBound * vectorWidth, panelStride: w.depth * vectorWidth,
      depth: k.count, c: z + column)
    panel += 4
  }
  while panel < w.panels {
    let column = panel * vectorWidth
    multiplyPanel(
      rows: rows, x: x, xStride: xStride, w: w.panel(panel) + k.lowerBound * vectorWidth, depth: k.count,
      start: start + column, startStride: startStride, z: z + column, zStride: zStride)
    panel += 1
  }
}

/// A sum of no terms: Z = start.
private func copyRows(
  _ start: UnsafePointer<Float>, _ startStride: Int, to z: UnsafeMutablePointer<Float>, _ zStride: Int, rows: Int,
  columns: Int
) {
  for row in 0..<rows { (z + row * zStride).update(from: start + row * startStride, count: columns) }
}

/// Z[b, n] += Σ_k X[b, k] · W[k, n]: `multiply` that starts from what is in Z.
public func multiplyAdd(
  rows: Int, x: UnsafePointer<Float>, xStride: Int, w: borrowing PackedMatrix, z: UnsafeMutablePointer<Float>,
  zStride: Int
) {
  multiply(rows: rows, x: x, xStride: xStride, w: w, start: z, startStride: zStride, z: z, zStride: zStride)
}

/// One panel of 16 columns for all rows, in the fewest tiles, of rows as even as they come.
private func multiplyPanel(
  rows: Int, x: UnsafePointer<Float>, xStride: Int, w: UnsafePointer<Float>, depth: Int,
  start: UnsafePointer<Float>, startStride: Int, z: UnsafeMutablePointer<Float>, zStride: Int
) {
  let tiles = (rows + tileRows - 1) / tileRows
  guard tiles > 0 else { return }
  let (small, larger) = (rows / tiles, rows % tiles)
  var row = 0
  for tile in 0..<tiles {
    let count = tile < larger ? small + 1 : small
    multiplyRows(
      count, start: start + row * startStride, startStride: startStride, a: x + row * xStride, aStride: xStride,
      w: w, depth: depth, c: z + row * zStride, cStride: zStride)
    row &+= count
  }
}

/// The tile with as many rows as are wanted, 1 … 6.
private func multiplyRows(
  _ rows: Int, start: UnsafePointer<Float>, startStride: Int, a: UnsafePointer<Float>, aStride: Int,
  w: UnsafePointer<Float>, depth: Int, c: UnsafeMutablePointer<Float>, cStride: Int
) {
  @inline(__always)
  func run<let n: Int>(_ tile: Tile<n>.Type) {
    multiplyTile(
      tile, start: start, startStride: startStride, a: a, aStride: aStride, w: w, depth: depth, c: c, cStride: cStride)
  }
  switch rows {
  case 1: run(Tile<1>.self)
  case 2: run(Tile<2>.self)
  case 3: run(Tile<3>.self)
  case 4: run(Tile<4>.self)
  case 5: run(Tile<5>.self)
  default: run(Tile<6>.self)
  }
}
