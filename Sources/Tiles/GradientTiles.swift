/// A piece of the chains of one shard for some tiles of a weight gradient: Σ a[row, :]ᵀ · z[row, :] over some rows.
///
/// The chain of a tile begins at +0.0, or goes on from the sums that lie at `stack`; then they are added to the tiles
/// of the `merges` levels of the summation tree below, uppermost first, and put at the lowest of them.
public struct GradientTiles {
  /// Blocks of twelve columns of A, each [rows, 12].
  public let a: UnsafePointer<Float>
  /// Floats from one block to the next.
  public let blockStride: Int
  /// How many blocks.
  public let blocks: Int
  /// Panels of dZ, each [rows, 16].
  public let z: UnsafePointer<Float>
  /// Floats from one panel to the next.
  public let panelStride: Int
  /// How many panels.
  public let panels: Int
  /// Rows of this piece.
  public let rows: Int
  /// Whether the chains go on from the sums at `stack`.
  public let continuing: Bool
  /// Levels of the tree whose sums are complete with this piece.
  public let merges: Int
  /// This level's sums, [half blocks, panels, 6]; the level below lies as many vectors before it.
  public let stack: UnsafeMutablePointer<Vector>

  /// The piece with these operands.
  @inlinable
  public init(
    a: UnsafePointer<Float>, blockStride: Int, blocks: Int, z: UnsafePointer<Float>, panelStride: Int, panels: Int,
    rows: Int, continuing: Bool, merges: Int, stack: UnsafeMutablePointer<Vector>
  ) {
    (self.a, self.blockStride, self.blocks, self.z, self.panelStride) = (a, blockStride, blocks, z, panelStride)
    (self.panels, self.rows, self.continuing, self.merges, self.stack) = (panels, rows, continuing, merges, stack)
  }

  /// A panel and half a block at a time: tiles for sixteen registers of eight floats.
  @inlinable @inline(__always)
  public func computeInSixteenRegisters() {
    for block in 0..<blocks {
      let a = a + block &* blockStride
      for half in 0..<2 {
        for panel in 0..<panels {
          let level = sums(block: block, half: half, panel: panel)
          var tile = started(Tile<6, 1>.self, at: level)
          addTerms(
            &tile, a: a + half &* tileRows, rowStride: 1, termStride: blockColumns, w: z + panel &* panelStride,
            panelStride: panelStride, count: rows,
            ahead: nextColumns(a, tile: half &* panels &+ panel, of: 2 &* panels))
          finish(tile, at: level)
        }
      }
    }
  }

  /// Two panels and a block at a time: tiles for thirty-two registers of sixteen floats.
  @inlinable @inline(__always)
  public func computeInThirtyTwoRegisters() {
    for block in 0..<blocks {
      var panel = 0
      while panel &+ 2 <= panels {
        computeBlock(Tile<6, 2>.self, block: block, panel: panel)
        panel &+= 2
      }
      if panel < panels { computeBlock(Tile<6, 1>.self, block: block, panel: panel) }
    }
  }

  /// Both halves of a block, for the panels of a tile.
  @inlinable @inline(__always)
  func computeBlock<let width: Int>(_: Tile<6, width>.Type, block: Int, panel: Int) {
    let (first, second) = (sums(block: block, half: 0, panel: panel), sums(block: block, half: 1, panel: panel))
    var upper = started(Tile<6, width>.self, at: first)
    var lower = started(Tile<6, width>.self, at: second)
    var (a, w, rest) = (a + block &* blockStride, z + panel &* panelStride, rows)
    var ahead = nextColumns(a, tile: panel / 2, of: (panels &+ 1) / 2)
    while rest > 0 {
      ahead.advance()
      for _ in 0..<Swift.min(4, rest) {
        addTerm(&upper, a, 1, w, panelStride)
        addTerm(&lower, a + tileRows, 1, w, panelStride)
        a += blockColumns
        w += vectorWidth
      }
      rest &-= 4
    }
    finish(upper, at: first)
    finish(lower, at: second)
  }

  /// Of the block behind that at `a`, which may lie in memory, the lines that come into the cache during one of a
  /// block's tiles: its share of them, as far as it has terms for.
  @inlinable @inline(__always)
  func nextColumns(_ a: UnsafePointer<Float>, tile: Int, of tiles: Int) -> Ahead {
    let share = rows &* blockColumns / tiles
    return Ahead(
      a + (blockStride &+ share &* tile), stride: vectorWidth, lines: 1,
      places: (share &+ vectorWidth &- 1) / vectorWidth)
  }

  /// This level's sums of half a block and a panel.
  @inlinable @inline(__always)
  func sums(block: Int, half: Int, panel: Int) -> UnsafeMutablePointer<Vector> {
    stack + ((2 &* block &+ half) &* panels &+ panel) &* tileRows
  }

  /// What a tile's chains begin with.
  @inlinable @inline(__always)
  func started<let width: Int>(_: Tile<6, width>.Type, at level: UnsafeMutablePointer<Vector>) -> Tile<6, width> {
    var sums: Tile<6, width> = .zeros()
    if continuing {
      for i in 0..<6 {
        for p in 0..<width { sums[i][p] = level[p &* 6 &+ i] }
      }
    }
    return sums
  }

  /// Adds a tile's sums to the levels below, and puts them down.
  @inlinable @inline(__always)
  func finish<let width: Int>(_ tile: Tile<6, width>, at level: UnsafeMutablePointer<Vector>) {
    var (sums, level) = (tile, level)
    for _ in 0..<merges {
      level -= blocks &* panels &* blockColumns
      for i in 0..<6 {
        for p in 0..<width { sums[i][p] = level[p &* 6 &+ i] + sums[i][p] }
      }
    }
    for i in 0..<6 {
      for p in 0..<width { level[p &* 6 &+ i] = sums[i][p] }
    }
  }
}
