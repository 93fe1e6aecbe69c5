/// The product dW = Aᵀ·dZ over all timesteps and lanes, in the order that the contract of bits fixes: one chain of
/// fused multiply-adds from +0.0 for each shard, rows in the order of `ShardedRows`, and the summation tree over
/// shards. The tree is walked tile by tile while the sums are in registers, so it costs no second gradient and no
/// further pass over memory.
///
/// Use: `reshape` once for a batch shape; then for each product `begin`, `packInput` and `packOnes` for the column
/// blocks of A, and `multiply` for each column block of dZ. Holds scratch memory, so one object serves one thread.
///
/// Cost 2·T·B·K·N flop. Truth: `Reference.weightGradient`.
public final class WeightGradient {
  private let rows: ShardedRows
  private let rowCount: Int
  private var depth = 0
  /// A in blocks of six columns, [rows, 6] each, rows in chain order.
  private let inputs: FloatBuffer
  /// Some panels of dZ, [rows, 16] each, rows in chain order.
  private let panels: FloatBuffer
  private let panelsAtOnce: Int
  private let stack: UnsafeMutablePointer<Tile<6>>

  /// Bytes of packed dZ that stay in the second-level cache while all of A passes.
  private static let panelBytes = 256 << 10

  /// - Parameters:
  ///   - rows: the order of the chains.
  ///   - maximumDepth: the largest K (columns of A) of any product.
  public init(rows: ShardedRows, maximumDepth: Int) {
    self.rows = rows
    rowCount = rows.order.count
    let blocks = (maximumDepth + tileRows - 1) / tileRows
    inputs = FloatBuffer(count: blocks * tileRows * rowCount)
    panelsAtOnce = max(1, WeightGradient.panelBytes / max(1, rowCount * vectorWidth * MemoryLayout<Float>.stride))
    panels = FloatBuffer(count: panelsAtOnce * rowCount * vectorWidth)
    let deepest = rows.subtrees.map(\.leaves.count).max() ?? 1
    let levels = Int.bitWidth - deepest.leadingZeroBitCount + 1
    stack = .allocate(capacity: levels)
    stack.initialize(repeating: Tile<6>(repeating: .zero), count: levels)
  }

  deinit { stack.deallocate() }

  /// Bytes of scratch memory for `rowCount` rows and a largest K.
  public static func scratchBytes(rowCount: Int, maximumDepth: Int) -> Int {
    let floats = (maximumDepth + tileRows - 1) / tileRows * tileRows * rowCount
    return floats * MemoryLayout<Float>.stride + max(panelBytes, rowCount * vectorWidth * MemoryLayout<Float>.stride)
  }

  /// Begins a product with `depth` columns of A, none of them packed yet.
  /// - Precondition: `depth` ≤ the largest that was announced.
  public func begin(depth: Int) {
    precondition((depth + tileRows - 1) / tileRows * tileRows * rowCount <= inputs.count, "deeper than announced")
    self.depth = depth
    // The unused columns of the last block take part in its tiles.
    let unused = depth..<(depth + tileRows - 1) / tileRows * tileRows
    for column in unused { fillColumn(column, with: 0) }
  }

  /// Packs a column block of A: columns `at` ..< `at` + `columns` are those of `source` [T·B, stride].
  public func packInput(_ source: UnsafePointer<Float>, stride: Int, columns: Int, at first: Int) {
    rows.order.withUnsafeBufferPointer { order in
      var column = 0
      while column < columns {
        let (block, offset) = (first + column).quotientAndRemainder(dividingBy: tileRows)
        let run = min(columns - column, tileRows - offset)
        let to = inputs.pointer + block * tileRows * rowCount + offset
        let from = source + column
        for place in 0..<rowCount {
          let row = from + Int(order[place]) * stride
          for i in 0..<run { to[place * tileRows + i] = row[i] }
        }
        column &+= run
      }
    }
  }

  /// Packs a column of ones: its row of dW is db = Σ dZ.
  public func packOnes(at column: Int) { fillColumn(column, with: 1) }

  private func fillColumn(_ column: Int, with value: Float) {
    let (block, offset) = column.quotientAndRemainder(dividingBy: tileRows)
    let to = inputs.pointer + block * tileRows * rowCount + offset
    for place in 0..<rowCount { to[place * tileRows] = value }
  }

  /// gradient[j][k, n] = Σ A[row, k] · dZ[row, n] for every subtree j of the rank's shards.
  ///
  /// dZ [T·B, zStride] of which `columns` columns count; its memory must reach to whole vectors. The gradient of
  /// subtree j begins at `gradient + j · subtreeStride`, rows `gradientStride` apart.
  public func multiply(
    dZ: UnsafePointer<Float>, zStride: Int, columns: Int, gradient: UnsafeMutablePointer<Float>,
    gradientStride: Int, subtreeStride: Int
  ) {
    let blocks = (depth + tileRows - 1) / tileRows
    let panelCount = padded(columns) / vectorWidth
    var first = 0
    while first < panelCount {
      let count = min(panelsAtOnce, panelCount - first)
      packPanels(dZ + first * vectorWidth, stride: zStride, count: count)
      for block in 0..<blocks {
        for panel in 0..<count {
          let column = (first + panel) * vectorWidth
          sumTiles(
            block: block, panel: panels.pointer + panel * rowCount * vectorWidth,
            destination: gradient + block * tileRows * gradientStride + column,
            rows: min(tileRows, depth - block * tileRows), columns: min(vectorWidth, columns - column),
            rowStride: gradientStride, subtreeStride: subtreeStride)
        }
      }
      first &+= count
    }
  }

  private func packPanels(_ dZ: UnsafePointer<Float>, stride: Int, count: Int) {
    rows.order.withUnsafeBufferPointer { order in
      for place in 0..<rowCount {
        let row = dZ + Int(order[place]) * stride
        for panel in 0..<count {
          Vector(row + panel * vectorWidth).store(panels.pointer + (panel * rowCount + place) * vectorWidth)
        }
      }
    }
  }

  /// The tile of one block of A and one panel of dZ, for every subtree: leaf after leaf, each added to what is on the
  /// stack as soon as its node is complete.
  private func sumTiles(
    block: Int, panel: UnsafePointer<Float>, destination: UnsafeMutablePointer<Float>, rows valid: Int, columns: Int,
    rowStride: Int, subtreeStride: Int
  ) {
    let a = UnsafePointer(inputs.pointer) + block * tileRows * rowCount
    for index in rows.subtrees.indices {
      let leaves = rows.subtrees[index].leaves
      var depth = 0
      for leaf in leaves {
        let (start, end) = (rows.shardStart[leaf], rows.shardStart[leaf + 1])
        let merges = rows.subtrees[index].mergesAfterLeaf[leaf - leaves.lowerBound]
        chainTile(
          a: a + start * tileRows, z: panel + start * vectorWidth, count: end - start, merging: merges,
          onto: stack + depth)
        depth = depth + 1 - merges
      }
      let to = destination + index * subtreeStride
      for i in 0..<valid { stack.pointee[i].store(to + i * rowStride, columns: columns) }
    }
  }
}

extension Vector {
  /// Writes the first `columns` lanes; all sixteen at once where that is all of them.
  @inline(__always)
  fileprivate func store(_ destination: UnsafeMutablePointer<Float>, columns: Int) {
    if columns == vectorWidth { store(destination) } else { store(destination, count: columns) }
  }
}

/// The chain of one leaf, Σ a[row, :]ᵀ · z[row, :] from +0.0, added to the `merges` tiles below `top`, uppermost
/// first; the sum replaces the lowest of them (or is put at `top` where there is none).
private func chainTile(
  a: UnsafePointer<Float>, z: UnsafePointer<Float>, count: Int, merging merges: Int,
  onto top: UnsafeMutablePointer<Tile<6>>
) {
  var sums = Tile<6>(repeating: .zero)
  for row in 0..<count {
    let values = Vector(z + row &* vectorWidth)
    for i in 0..<6 { sums[i] = sums[i].addingProduct(Vector(repeating: a[row &* 6 &+ i]), values) }
  }
  for merge in 0..<merges {
    let left = top - (merge + 1)
    for i in 0..<6 { sums[i] = left.pointee[i] + sums[i] }
  }
  (top - merges).pointee = sums
}
