/// Z[b, n] = start[b, n] + Σ_k X[b, k] · W[k, n] over whole panels of W, 16 columns each; k ascending, one chain of
/// fused multiply-adds an element, whatever the tiles.
public struct PanelProduct {
  /// Rows of X and Z.
  public let rows: Int
  /// X [rows, depth].
  public let x: UnsafePointer<Float>
  /// Floats from one row of X to the next.
  public let xStride: Int
  /// Panels of W, each [depth, 16].
  public let w: UnsafePointer<Float>
  /// Floats from one panel to the next.
  public let panelStride: Int
  /// How many panels.
  public let panels: Int
  /// The panel that is read after these; nil where none is.
  public let nextPanel: UnsafePointer<Float>?
  /// Terms of each sum.
  public let depth: Int
  /// Where the sums begin, [rows, 16·panels].
  public let start: UnsafePointer<Float>
  /// Floats from one row of `start` to the next; 0 for one row that all begin with.
  public let startStride: Int
  /// Z [rows, 16·panels]; may be `start` itself.
  public let z: UnsafeMutablePointer<Float>
  /// Floats from one row of Z to the next.
  public let zStride: Int

  /// The product of these operands.
  @inlinable
  public init(
    rows: Int, x: UnsafePointer<Float>, xStride: Int, w: UnsafePointer<Float>, panelStride: Int, panels: Int,
    nextPanel: UnsafePointer<Float>? = nil, depth: Int, start: UnsafePointer<Float>, startStride: Int,
    z: UnsafeMutablePointer<Float>, zStride: Int
  ) {
    (self.rows, self.x, self.xStride, self.w, self.panelStride) = (rows, x, xStride, w, panelStride)
    (self.panels, self.nextPanel, self.depth) = (panels, nextPanel, depth)
    (self.start, self.startStride, self.z, self.zStride) = (start, startStride, z, zStride)
  }

  /// In tiles for sixteen registers of eight floats. A single row takes four panels at once: one panel would leave two
  /// chains, and a fused multiply-add takes as long as eight of them side by side.
  @inlinable @inline(__always)
  public func computeInSixteenRegisters() {
    var panel = 0
    while rows == 1, panel &+ 4 <= panels {
      let ahead = ahead(of: 0..<1, panel: panel, 4)
      computeTile(Tile<1, 4>.self, row: 0, panel: panel, ahead)
      panel &+= 4
    }
    while panel < panels {
      computePanel(panel)
      panel &+= 1
    }
  }

  /// Where there are at most six rows, all whole groups of four panels, in tiles for thirty-two registers of sixteen
  /// floats: more panels in place of rows, which also load less for each multiply-add.
  /// - Returns: the panels that are computed.
  @inlinable @inline(__always)
  public func computeFourPanelsInThirtyTwoRegisters() -> Int {
    var panel = 0
    while rows > 0, rows <= tileRows, panel &+ 4 <= panels {
      let ahead = ahead(of: 0..<rows, panel: panel, 4)
      switch rows {
      case 1: computeTile(Tile<1, 4>.self, row: 0, panel: panel, ahead)
      case 2: computeTile(Tile<2, 4>.self, row: 0, panel: panel, ahead)
      case 3: computeTile(Tile<3, 4>.self, row: 0, panel: panel, ahead)
      case 4: computeTile(Tile<4, 4>.self, row: 0, panel: panel, ahead)
      case 5: computeTile(Tile<5, 4>.self, row: 0, panel: panel, ahead)
      default: computeTile(Tile<6, 4>.self, row: 0, panel: panel, ahead)
      }
      panel &+= 4
    }
    return panel
  }

  /// In tiles for thirty-two registers of sixteen floats, some panels for all rows: up to twelve of them in a tile, so
  /// that it has at least eight chains wherever there are two panels.
  @inlinable @inline(__always)
  public func computeInThirtyTwoRegisters<let width: Int>(_: InlineArray<width, Vector>.Type, panel: Int) {
    forEachTile(rows: 2 &* tileRows) { row, count in
      let ahead = ahead(of: row..<row &+ count, panel: panel, width)
      switch count {
      case 1: computeTile(Tile<1, width>.self, row: row, panel: panel, ahead)
      case 2: computeTile(Tile<2, width>.self, row: row, panel: panel, ahead)
      case 3: computeTile(Tile<3, width>.self, row: row, panel: panel, ahead)
      case 4: computeTile(Tile<4, width>.self, row: row, panel: panel, ahead)
      case 5: computeTile(Tile<5, width>.self, row: row, panel: panel, ahead)
      case 6: computeTile(Tile<6, width>.self, row: row, panel: panel, ahead)
      case 7: computeTile(Tile<7, width>.self, row: row, panel: panel, ahead)
      case 8: computeTile(Tile<8, width>.self, row: row, panel: panel, ahead)
      case 9: computeTile(Tile<9, width>.self, row: row, panel: panel, ahead)
      case 10: computeTile(Tile<10, width>.self, row: row, panel: panel, ahead)
      case 11: computeTile(Tile<11, width>.self, row: row, panel: panel, ahead)
      default: computeTile(Tile<12, width>.self, row: row, panel: panel, ahead)
      }
    }
  }

  /// One panel for all rows, in tiles of up to six of them.
  @inlinable @inline(__always)
  func computePanel(_ panel: Int) {
    forEachTile(rows: tileRows) { row, count in
      let ahead = ahead(of: row..<row &+ count, panel: panel, 1)
      switch count {
      case 1: computeTile(Tile<1, 1>.self, row: row, panel: panel, ahead)
      case 2: computeTile(Tile<2, 1>.self, row: row, panel: panel, ahead)
      case 3: computeTile(Tile<3, 1>.self, row: row, panel: panel, ahead)
      case 4: computeTile(Tile<4, 1>.self, row: row, panel: panel, ahead)
      case 5: computeTile(Tile<5, 1>.self, row: row, panel: panel, ahead)
      default: computeTile(Tile<6, 1>.self, row: row, panel: panel, ahead)
      }
    }
  }

  /// All rows in the fewest tiles of at most `most` rows, as even as they come.
  @inlinable @inline(__always)
  func forEachTile(rows most: Int, _ compute: (_ row: Int, _ count: Int) -> Void) {
    let tiles = (rows &+ most &- 1) / most
    guard tiles > 0 else { return }
    let (small, larger) = (rows / tiles, rows % tiles)
    var row = 0
    for tile in 0..<tiles {
      let count = tile < larger ? small &+ 1 : small
      compute(row, count)
      row &+= count
    }
  }

  /// One tile, whose first row and panel are given.
  @inlinable @inline(__always)
  func computeTile<let height: Int, let width: Int>(
    _: Tile<height, width>.Type, row: Int, panel: Int, _ ahead: TileAhead
  ) {
    let from = start + (row &* startStride &+ panel &* vectorWidth)
    var sums: Tile<height, width> = .zeros()
    for i in 0..<height {
      for p in 0..<width { sums[i][p] = Vector(from + (i &* startStride &+ p &* vectorWidth)) }
    }
    addTerms(
      &sums, a: x + row &* xStride, rowStride: xStride, termStride: 1, w: w + panel &* panelStride,
      panelStride: panelStride, count: depth, ahead: ahead)
    let to = z + (row &* zStride &+ panel &* vectorWidth)
    for i in 0..<height {
      for p in 0..<width { sums[i][p].store(to + (i &* zStride &+ p &* vectorWidth)) }
    }
  }

  // MARK: What comes next

  /// What comes during the tile of some rows and `width` panels.
  @inlinable @inline(__always)
  func ahead(of tile: Range<Int>, panel: Int, _ width: Int) -> TileAhead {
    TileAhead(nextSums(after: tile, panel: panel, width), nextPanels(during: tile, from: panel &+ width))
  }

  /// What the next tile begins with: it stands below this one, or at the top of the next panels.
  @inlinable @inline(__always)
  func nextSums(after tile: Range<Int>, panel: Int, _ width: Int) -> Ahead {
    let isLast = tile.upperBound == rows
    let (row, panel) = (isLast ? 0 : tile.upperBound, isLast ? panel &+ width : panel)
    return Ahead(
      z + (row &* zStride &+ panel &* vectorWidth), stride: zStride, lines: width,
      places: tile.count)
  }

  /// The panels from `panel` on, or those that follow the last one: the share of their terms that is the tile's.
  @inlinable @inline(__always)
  func nextPanels(during tile: Range<Int>, from panel: Int) -> PanelsAhead {
    guard let start = panel < panels ? w + panel &* panelStride : nextPanel else { return PanelsAhead(none: w) }
    return PanelsAhead(
      start, stride: panelStride, terms: tile.lowerBound &* depth / rows..<tile.upperBound &* depth / rows,
      during: depth)
  }
}
