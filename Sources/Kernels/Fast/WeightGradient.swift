/// The product dW = Aᵀ·dZ over all timesteps and lanes, in the order that the contract of bits fixes: one chain of
/// fused multiply-adds from +0.0 for each shard, rows in the order of `ShardedRows`, and the summation tree over
/// shards. The tree is walked tile by tile while the sums are in registers, so it costs no second gradient and no
/// further pass over memory.
///
/// Made once for a batch shape. For each product: `begin`, `packInput` and `packOnes` for the column
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
  /// Blocks of A whose tiles are summed together, chunk of rows after chunk of rows.
  private let blocksAtOnce: Int
  /// Unfinished tiles: for each level of the summation tree those of some blocks and panels.
  private let stack: UnsafeMutablePointer<Tile<6>>

  /// Rows up to which a tile is finished at once: a panel of them stays in the first-level cache.
  private static let fewRows = 512
  /// Bytes of packed dZ that stay in the second-level cache while all of A passes.
  private static let panelBytes = 256 << 10
  /// Rows of a chunk, where there are more.
  private static let chunkRows = 256

  /// Rows of A that are packed for all columns before the next ones: they stay in the first-level cache.
  private static let packedRows = 32

  private static func panelsAtOnce(rowCount: Int) -> Int {
    if rowCount > fewRows { return 4 }
    return min(16, max(1, panelBytes / max(1, rowCount * vectorWidth * MemoryLayout<Float>.stride)))
  }

  private static func blocksAtOnce(rowCount: Int) -> Int { rowCount > fewRows ? 32 : 1 }

  /// - Parameters:
  ///   - rows: the order of the chains.
  ///   - maximumDepth: the largest K (columns of A) of any product.
  public init(rows: ShardedRows, maximumDepth: Int) {
    self.rows = rows
    rowCount = rows.order.count
    let blocks = (maximumDepth + tileRows - 1) / tileRows
    // Two more, which the packing of the last block touches.
    inputs = FloatBuffer(count: blocks * tileRows * rowCount + 2)
    panelsAtOnce = WeightGradient.panelsAtOnce(rowCount: rowCount)
    blocksAtOnce = WeightGradient.blocksAtOnce(rowCount: rowCount)
    panels = FloatBuffer(count: panelsAtOnce * rowCount * vectorWidth)
    let deepest = rows.subtrees.map(\.leaves.count).max() ?? 1
    let tiles = (Int.bitWidth - deepest.leadingZeroBitCount + 1) * blocksAtOnce * panelsAtOnce
    stack = .allocate(capacity: tiles)
    stack.initialize(repeating: Tile<6>(repeating: .zero), count: tiles)
  }

  deinit { stack.deallocate() }

  /// Bytes of scratch memory, at most, for `rowCount` rows and a largest K.
  public static func scratchBytes(rowCount: Int, maximumDepth: Int) -> Int {
    let floats = (maximumDepth + tileRows - 1) / tileRows * tileRows * rowCount
    // No plan has more shards than 2¹⁶, so no stack more levels.
    let stackBytes = 17 * blocksAtOnce(rowCount: rowCount) * 16 * MemoryLayout<Tile<6>>.stride
    return floats * MemoryLayout<Float>.stride + stackBytes
      + max(panelBytes, 4 * rowCount * vectorWidth * MemoryLayout<Float>.stride)
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
      for start in Swift.stride(from: 0, to: rowCount, by: WeightGradient.packedRows) {
        let places = start..<min(start + WeightGradient.packedRows, rowCount)
        var column = 0
        while column < columns {
          let (block, offset) = (first + column).quotientAndRemainder(dividingBy: tileRows)
          let run = min(columns - column, tileRows - offset)
          let to = inputs.pointer + block * tileRows * rowCount + offset
          if run == tileRows && column + 8 <= stride {
            packBlock(source + column, stride: stride, order: order, places: places, to: to)
          } else {
            for place in places {
              let row = source + (Int(order[place]) * stride + column)
              for i in 0..<run { to[place * tileRows + i] = row[i] }
            }
          }
          column &+= run
        }
      }
    }
  }

  /// Six columns of some rows. Eight numbers are copied at once; the two too many are overwritten by the next row, and
  /// those behind the last row of the places put back.
  private func packBlock(
    _ source: UnsafePointer<Float>, stride: Int, order: UnsafeBufferPointer<Int32>, places: Range<Int>,
    to: UnsafeMutablePointer<Float>
  ) {
    let end = UnsafeMutableRawPointer(to + places.upperBound * tileRows)
    let behind = end.loadUnaligned(as: SIMD2<Float>.self)
    for place in places {
      let eight = UnsafeRawPointer(source + Int(order[place]) * stride).loadUnaligned(as: SIMD8<Float>.self)
      UnsafeMutableRawPointer(to + place * tileRows).storeBytes(of: eight, as: SIMD8<Float>.self)
    }
    end.storeBytes(of: behind, as: SIMD2<Float>.self)
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
  /// subtree j begins at `gradient + j · subtreeStride`, rows `gradientStride` apart. `between` is called after some
  /// panels each.
  public func multiply(
    dZ: UnsafePointer<Float>, zStride: Int, columns: Int, gradient: UnsafeMutablePointer<Float>,
    gradientStride: Int, subtreeStride: Int, between: () -> Void = {}
  ) {
    let blocks = (depth + tileRows - 1) / tileRows
    let panelCount = padded(columns) / vectorWidth
    for firstPanel in stride(from: 0, to: panelCount, by: panelsAtOnce) {
      let panels = firstPanel..<min(firstPanel + panelsAtOnce, panelCount)
      packPanels(dZ + firstPanel * vectorWidth, stride: zStride, count: panels.count)
      for firstBlock in stride(from: 0, to: blocks, by: blocksAtOnce) {
        let group = TileGroup(blocks: firstBlock..<min(firstBlock + blocksAtOnce, blocks), panels: panels)
        for index in rows.subtrees.indices {
          sum(group, subtree: rows.subtrees[index])
          store(
            group, to: gradient + index * subtreeStride, rowStride: gradientStride, columns: columns)
        }
        between()
      }
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

  /// The tiles of some blocks of A and some panels of dZ.
  private struct TileGroup {
    let blocks: Range<Int>
    let panels: Range<Int>
    var count: Int { blocks.count * panels.count }
  }

  /// Sums a group's tiles over the leaves of a subtree: leaf after leaf, each added to what is on the stack as soon as
  /// its node is complete. A long leaf is cut into chunks of rows that stay in the caches; its chain goes on from the
  /// sums on the stack, so the cut changes no bit.
  private func sum(_ group: TileGroup, subtree: ShardedRows.Subtree) {
    let chunk = blocksAtOnce == 1 ? rowCount : WeightGradient.chunkRows
    var level = 0
    for leaf in subtree.leaves {
      let merges = subtree.mergesAfterLeaf[leaf - subtree.leaves.lowerBound]
      let end = rows.shardStart[leaf + 1]
      var start = rows.shardStart[leaf]
      var isFirst = true
      repeat {
        let count = min(chunk, end - start)
        let isLast = start + count == end
        sumChunk(
          group, rows: start..<start + count, continuing: !isFirst, merging: isLast ? merges : 0,
          top: stack + level * group.count)
        start += count
        isFirst = false
      } while start < end
      level += 1 - merges
    }
  }

  private func sumChunk(
    _ group: TileGroup, rows chunk: Range<Int>, continuing: Bool, merging merges: Int,
    top: UnsafeMutablePointer<Tile<6>>
  ) {
    var tile = top
    for block in group.blocks {
      let a = inputs.pointer + (block * rowCount + chunk.lowerBound) * tileRows
      for panel in 0..<group.panels.count {
        let z = panels.pointer + (panel * rowCount + chunk.lowerBound) * vectorWidth
        chainTile(
          a: a, z: z, count: chunk.count, continuing: continuing, merging: merges, onto: tile, levelStride: group.count)
        tile += 1
      }
    }
  }

  /// Writes a group's finished tiles, which lie at the bottom of the stack.
  private func store(
    _ group: TileGroup, to gradient: UnsafeMutablePointer<Float>, rowStride: Int, columns: Int
  ) {
    var tile = stack
    for block in group.blocks {
      let valid = min(tileRows, depth - block * tileRows)
      for panel in group.panels {
        let column = panel * vectorWidth
        let to = gradient + (block * tileRows * rowStride + column)
        for i in 0..<valid {
          tile.pointee[i].store(to + i * rowStride, columns: min(vectorWidth, columns - column))
        }
        tile += 1
      }
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

/// A piece of the chain of one leaf, Σ a[row, :]ᵀ · z[row, :], from +0.0 or from the sums at `top`; then the sum is
/// added to the tiles of the `merges` levels below, uppermost first, and put at the lowest of them.
private func chainTile(
  a: UnsafePointer<Float>, z: UnsafePointer<Float>, count: Int, continuing: Bool, merging merges: Int,
  onto top: UnsafeMutablePointer<Tile<6>>, levelStride: Int
) {
  var sums = continuing ? top.pointee : Tile<6>(repeating: .zero)
  addTerms(&sums, a: a, rowStride: 1, termStride: tileRows, w: z, count: count)
  for merge in 0..<merges {
    let left = top - (merge + 1) * levelStride
    for i in 0..<6 { sums[i] = left.pointee[i] + sums[i] }
  }
  (top - merges * levelStride).pointee = sums
}
