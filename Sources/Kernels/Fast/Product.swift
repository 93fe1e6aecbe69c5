/// Bytes of X that stay in the caches while all panels of W pass: in the second level where W itself stays in the
/// third; where W comes from memory each time, more of X, so that it comes less often.
private func rowBlockBytes(weightBytes: Int) -> Int { weightBytes > 8 << 20 ? 2 << 20 : 192 << 10 }

/// Terms of a sum that one pass over the panels takes: 16 columns of them stay in the first caches.
private let depthBlock = 1024

/// Panels of W that all blocks of terms take before the next panels.
private let panelGroup = 16

/// Z[b, n] = start[b, n] + Σ_k X[b, k] · W[k, n], k ascending, one chain of fused multiply-adds an element.
///
/// X [B, K], W [K, N] packed, Z [B, padded N]; strides in floats. `start` [B, padded N] may be Z itself, or one row
/// (stride 0) such as a bias; Z must overlap nothing else. Columns of Z beyond N come out as `start` has them. The sum
/// of an element never depends on B, on blocking or on the width of registers: a row has the same bits whichever rank
/// computes it, and beside whichever rows.
///
/// `between` is called after each block of rows, of some 10⁸ operations: the caller may do something else meanwhile, or
/// abandon the product by an error.
/// A product with the same W as the one before may go through it `backwards`: of a W that is larger than the caches it
/// finds there what was read last, where the first panels would have driven out each other.
///
/// Cost 2·B·K·N flop. Truth: `Reference.multiply`.
package func multiply(
  rows: Int, x: UnsafePointer<Float>, xStride: Int, w: borrowing PackedMatrix, start: UnsafePointer<Float>,
  startStride: Int, z: UnsafeMutablePointer<Float>, zStride: Int, backwards: Bool = false, between: () throws -> Void
) rethrows {
  guard w.depth > 0 else { return copyRows(start, startStride, to: z, zStride, rows: rows, columns: padded(w.columns)) }
  let blocks = (w.depth + depthBlock - 1) / depthBlock
  let depth = (w.depth + blocks - 1) / blocks
  let blockBytes = rowBlockBytes(weightBytes: PackedMatrix.bytes(depth: w.depth, columns: w.columns))
  let rowBlock = max(1, blockBytes / (tileRows * depth * MemoryLayout<Float>.stride)) * tileRows
  let groups = (w.panels + panelGroup - 1) / panelGroup
  for first in stride(from: 0, to: rows, by: rowBlock) {
    let count = min(rowBlock, rows - first)
    for group in 0..<groups {
      let panel = (backwards ? groups - 1 - group : group) * panelGroup
      let column = panel * vectorWidth
      let nextGroup = backwards ? panel - panelGroup : panel + panelGroup
      for k in stride(from: 0, to: w.depth, by: depth) {
        // A block that is not the first goes on from the sums that it finds in Z: the same chain, so the same bits.
        let from = k == 0 ? start + first * startStride : UnsafePointer(z + first * zStride)
        compute(
          PanelProduct(
            rows: count, x: x + (first * xStride + k), xStride: xStride, w: w.panel(panel) + k * vectorWidth,
            panelStride: w.depth * vectorWidth, panels: min(panelGroup, w.panels - panel),
            nextPanel: k + depth < w.depth
              ? w.panel(panel) + (k + depth) * vectorWidth
              : nextGroup >= 0 && nextGroup < w.panels ? w.panel(nextGroup) : nil,
            depth: min(depth, w.depth - k), start: from + column, startStride: k == 0 ? startStride : zStride,
            z: z + (first * zStride + column), zStride: zStride))
      }
    }
    try between()
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
package func multiplyAdd(
  rows: Int, x: UnsafePointer<Float>, xStride: Int, w: borrowing PackedMatrix, z: UnsafeMutablePointer<Float>,
  zStride: Int, backwards: Bool = false
) {
  multiply(
    rows: rows, x: x, xStride: xStride, w: w, start: z, startStride: zStride, z: z, zStride: zStride,
    backwards: backwards, between: {})
}
