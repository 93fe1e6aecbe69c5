/// Some tiles of a weight gradient: twelve columns of A by two panels of dZ each, summed over the rows of some chunks,
/// Σ a[row, :]ᵀ · z[row, :].
///
/// The chain of a shard begins at +0.0, or goes on from sums that an earlier piece of it has left. A finished one is
/// added to what lies on the tile's stack as soon as a node of the summation tree is complete, so the tree is walked
/// while the sums are in registers or close to them.
public struct GradientTiles {
  /// Rows that are multiplied without a break: the chain of one shard, or a part of it.
  public struct Chunk {
    /// The rows, as places of the chains.
    public let rows: Range<Int>
    /// The level of the stack where its sums stand.
    public let level: Int
    /// Whether the chain goes on from the sums that stand there.
    public let continuing: Bool
    /// Where to read them first, laid out as a gradient is.
    public var source: UnsafePointer<Float>?
    /// Levels below whose sums are added to the finished chain, uppermost first; it ends on the lowest of them.
    public var merges = 0
    /// Where the sums go instead: a gradient, or sums laid out like it.
    public var destination: UnsafeMutablePointer<Float>?

    /// A chunk that leaves its sums on the stack.
    @inlinable
    public init(rows: Range<Int>, level: Int, continuing: Bool) {
      (self.rows, self.level, self.continuing) = (rows, level, continuing)
    }
  }

  /// Rows of dZ that are packed once these tiles are done, so many panels of them: they come into the cache meanwhile.
  public struct NextRows {
    @usableFromInline let start: UnsafePointer<Float>
    @usableFromInline let stride: Int
    @usableFromInline let count: Int
    @usableFromInline let panels: Int

    /// `count` rows from `start` on, `stride` floats apart.
    @inlinable
    public init(_ start: UnsafePointer<Float>, stride: Int, count: Int, panels: Int) {
      (self.start, self.stride, self.count, self.panels) = (start, stride, count, panels)
    }
  }

  /// The chunks, in the order of the chains.
  public let chunks: UnsafeBufferPointer<Chunk>
  /// A, chunk after chunk; in each its blocks of twelve columns, [rows, 12].
  public let a: UnsafePointer<Float>
  /// Blocks of A in all.
  public let blockCount: Int
  /// Those that are computed.
  public let blocks: Range<Int>
  /// Some panels of dZ, chunk after chunk; in each its panels, [rows, 16].
  public let z: UnsafePointer<Float>
  /// Which panels they are.
  public let panels: Range<Int>
  /// What is packed next.
  public let next: NextRows
  /// Rows of the gradient.
  public let depth: Int
  /// Columns of the gradient.
  public let columns: Int
  /// Floats from one row of the gradient to the next.
  public let rowStride: Int
  /// The tiles' stacks: on each level twelve vectors for each panel.
  public let stack: UnsafeMutablePointer<Vector>
  /// Vectors from one tile's stack to the next; 0 where all levels are empty before and after, so that one stack does.
  public let stackStride: Int

  /// The tiles with these operands.
  @inlinable
  public init(
    chunks: UnsafeBufferPointer<Chunk>, a: UnsafePointer<Float>, blockCount: Int, blocks: Range<Int>,
    z: UnsafePointer<Float>, panels: Range<Int>, next: NextRows, depth: Int, columns: Int, rowStride: Int,
    stack: UnsafeMutablePointer<Vector>, stackStride: Int
  ) {
    (self.chunks, self.a, self.blockCount, self.blocks) = (chunks, a, blockCount, blocks)
    (self.z, self.panels, self.next, self.depth, self.columns) = (z, panels, next, depth, columns)
    (self.rowStride, self.stack, self.stackStride) = (rowStride, stack, stackStride)
  }

  /// A panel and half a block at a time: tiles for sixteen registers of eight floats.
  @inlinable @inline(__always)
  public func computeInSixteenRegisters() {
    forEachTile { place, chunk in
      for panel in 0..<place.panels {
        for half in 0..<2 { computeHalf(chunk, place, half: half, panel: panel) }
      }
    }
  }

  // MARK: Tiles

  /// A block of A and two panels of dZ, or the last one.
  public struct Place {
    /// The block.
    @usableFromInline let block: Int
    /// The first panel, counted from the first of `z`.
    @usableFromInline let panel: Int
    /// How many there are.
    public let panels: Int
    /// The sums of its shards.
    @usableFromInline let stack: UnsafeMutablePointer<Vector>

    @inlinable
    init(block: Int, panel: Int, panels: Int, stack: UnsafeMutablePointer<Vector>) {
      (self.block, self.panel, self.panels, self.stack) = (block, panel, panels, stack)
    }

    /// The sums of six rows on a level, from a panel on; those of the next panel lie twelve vectors on.
    @inlinable @inline(__always)
    func sums(level: Int, half: Int, panel: Int) -> UnsafeMutablePointer<Vector> {
      stack + ((level &* panels &+ panel) &* blockColumns &+ half &* tileRows)
    }
  }

  @inlinable @inline(__always)
  var tilesOfBlock: Int { (panels.count &+ 1) / 2 }

  /// Calls `compute` for all chunks of each tile.
  @inlinable @inline(__always)
  public func forEachTile(_ compute: (Place, Chunk) -> Void) {
    for tile in 0..<blocks.count &* tilesOfBlock {
      let place = place(tile)
      for chunk in chunks {
        readSource(chunk, place)
        compute(place, chunk)
        writeDestination(chunk, place)
      }
    }
  }

  /// A tile; block after block, and in each the panels.
  @inlinable @inline(__always)
  func place(_ tile: Int) -> Place {
    let (block, pair) = tile.quotientAndRemainder(dividingBy: tilesOfBlock)
    return Place(
      block: blocks.lowerBound &+ block, panel: 2 &* pair, panels: Swift.min(2, panels.count &- 2 &* pair),
      stack: stack + tile &* stackStride)
  }

  /// Half a block and a panel.
  @inlinable @inline(__always)
  func computeHalf(_ chunk: Chunk, _ place: Place, half: Int, panel: Int) {
    var tile = started(Tile<6, 1>.self, chunk, place, half: half, panel: panel)
    addTerms(
      &tile, a: columns(of: chunk, block: place.block) + half &* tileRows, rowStride: 1, termStride: blockColumns,
      w: self.panel(place.panel &+ panel, of: chunk), panelStride: 0, count: chunk.rows.count,
      ahead: nextColumns(chunk, place, share: 2 &* (place.panel &+ panel) &+ half, of: 2 &* panels.count))
    finish(tile, chunk, place, half: half, panel: panel)
  }

  /// Both halves of a block, for one or two panels: tiles for thirty-two registers of sixteen floats.
  @inlinable @inline(__always)
  public func computeBlock<let width: Int>(_: Tile<6, width>.Type, _ chunk: Chunk, _ place: Place) {
    var upper = started(Tile<6, width>.self, chunk, place, half: 0, panel: 0)
    var lower = started(Tile<6, width>.self, chunk, place, half: 1, panel: 0)
    var (a, w) = (columns(of: chunk, block: place.block), panel(place.panel, of: chunk))
    var (rest, panelStride) = (chunk.rows.count, chunk.rows.count &* vectorWidth)
    var ahead = nextColumns(chunk, place, share: place.panel / 2, of: tilesOfBlock)
    var rows = gradientRows(chunk, place)
    var next = nextRows(chunk, place)
    while rest > 0 {
      ahead.advance()
      rows.advance()
      next.advance()
      for _ in 0..<Swift.min(4, rest) {
        addTerm(&upper, a, 1, w, panelStride)
        addTerm(&lower, a + tileRows, 1, w, panelStride)
        a += blockColumns
        w += vectorWidth
      }
      rest &-= 4
    }
    finish(upper, chunk, place, half: 0, panel: 0)
    finish(lower, chunk, place, half: 1, panel: 0)
  }

  // MARK: Operands

  /// A block of A in a chunk.
  @inlinable @inline(__always)
  func columns(of chunk: Chunk, block: Int) -> UnsafePointer<Float> {
    a + (chunk.rows.lowerBound &* blockCount &+ block &* chunk.rows.count) &* blockColumns
  }

  /// A panel of dZ in a chunk, counted from the first of `z`.
  @inlinable @inline(__always)
  func panel(_ panel: Int, of chunk: Chunk) -> UnsafePointer<Float> {
    z + (chunk.rows.lowerBound &* panels.count &+ panel &* chunk.rows.count) &* vectorWidth
  }

  /// Of the next block of A, which may lie in memory, the lines that come into the cache during one of a block's tiles:
  /// its share of them, as far as it has terms for.
  @inlinable @inline(__always)
  func nextColumns(_ chunk: Chunk, _ place: Place, share: Int, of shares: Int) -> Ahead {
    let floats = chunk.rows.count &* blockColumns / shares
    return Ahead(
      columns(of: chunk, block: place.block &+ 1) + floats &* share, stride: vectorWidth, lines: 1,
      places: (floats &+ vectorWidth &- 1) / vectorWidth)
  }

  /// The rows of the gradient that a tile writes after a chunk, if it does.
  @inlinable @inline(__always)
  func gradientRows(_ chunk: Chunk, _ place: Place) -> Ahead {
    guard let destination = chunk.destination else { return Ahead(a, stride: 0, lines: 0, places: 0) }
    return Ahead(
      destination + offset(place, row: 0, panel: 0), stride: rowStride, lines: place.panels, places: blockColumns)
  }

  /// A tile's share of the rows that are packed next, which it asks for with the last chunk.
  @inlinable @inline(__always)
  func nextRows(_ chunk: Chunk, _ place: Place) -> Ahead {
    let (tile, tiles) = (
      (place.block &- blocks.lowerBound) &* tilesOfBlock &+ place.panel / 2, blocks.count &* tilesOfBlock
    )
    let (first, end) = (tile &* next.count / tiles, (tile &+ 1) &* next.count / tiles)
    return Ahead(
      next.start + first &* next.stride, stride: next.stride, lines: next.panels,
      places: chunk.destination == nil ? 0 : end &- first)
  }

  // MARK: Sums

  /// What a tile's chains begin with.
  @inlinable @inline(__always)
  func started<let width: Int>(
    _: Tile<6, width>.Type, _ chunk: Chunk, _ place: Place, half: Int, panel: Int
  ) -> Tile<6, width> {
    var sums: Tile<6, width> = .zeros()
    let level = place.sums(level: chunk.level, half: half, panel: panel)
    if chunk.continuing {
      for i in 0..<6 {
        for p in 0..<width { sums[i][p] = level[p &* blockColumns &+ i] }
      }
    }
    return sums
  }

  /// Adds a tile's sums to the levels below, and puts them down: where they go if all of the tile goes there, or on the
  /// stack.
  @inlinable @inline(__always)
  func finish<let width: Int>(_ tile: Tile<6, width>, _ chunk: Chunk, _ place: Place, half: Int, panel: Int) {
    var (sums, level) = (tile, place.sums(level: chunk.level, half: half, panel: panel))
    for _ in 0..<chunk.merges {
      level -= place.panels &* blockColumns
      for i in 0..<6 {
        for p in 0..<width { sums[i][p] = level[p &* blockColumns &+ i] + sums[i][p] }
      }
    }
    if let destination = chunk.destination, isWhole(place) {
      let to = destination + offset(place, row: half &* tileRows, panel: panel)
      for i in 0..<6 {
        for p in 0..<width { sums[i][p].store(to + (i &* rowStride &+ p &* vectorWidth)) }
      }
      return
    }
    for i in 0..<6 {
      for p in 0..<width { level[p &* blockColumns &+ i] = sums[i][p] }
    }
  }

  /// Reads the sums from which a tile's chains go on, to its stack.
  @inlinable @inline(__always)
  func readSource(_ chunk: Chunk, _ place: Place) {
    guard let source = chunk.source else { return }
    forEachRow(of: place, onLevel: chunk.level) { sums, offset, columns in
      sums.pointee = Vector(source + offset, columns: columns)
    }
  }

  /// Writes the sums of a tile of which not all goes to a gradient, from its stack.
  @inlinable @inline(__always)
  func writeDestination(_ chunk: Chunk, _ place: Place) {
    guard let destination = chunk.destination, !isWhole(place) else { return }
    forEachRow(of: place, onLevel: chunk.level &- chunk.merges) { sums, offset, columns in
      sums.pointee.store(destination + offset, columns: columns)
    }
  }

  /// Calls `body` with the sums of each of a tile's rows and panels on a level of its stack, their place in a gradient,
  /// and how many columns they have there.
  @inlinable @inline(__always)
  func forEachRow(
    of place: Place, onLevel level: Int,
    _ body: (_ sums: UnsafeMutablePointer<Vector>, _ offset: Int, _ columns: Int) -> Void
  ) {
    for panel in 0..<place.panels {
      let sums = place.sums(level: level, half: 0, panel: panel)
      for row in 0..<Swift.min(blockColumns, rowCount(from: place)) {
        body(
          sums + row, offset(place, row: row, panel: panel),
          Swift.min(vectorWidth, columnCount(from: place) &- panel &* vectorWidth))
      }
    }
  }

  /// Where a row of a tile stands in a gradient, from a panel on.
  @inlinable @inline(__always)
  func offset(_ place: Place, row: Int, panel: Int) -> Int {
    (place.block &* blockColumns &+ row) &* rowStride
      &+ (panels.lowerBound &+ place.panel &+ panel) &* vectorWidth
  }

  /// Whether all of a tile goes to a gradient.
  @inlinable @inline(__always)
  func isWhole(_ place: Place) -> Bool {
    rowCount(from: place) >= blockColumns && columnCount(from: place) >= place.panels &* vectorWidth
  }

  /// Rows of the gradient from a tile's first one on.
  @inlinable @inline(__always)
  func rowCount(from place: Place) -> Int { depth &- place.block &* blockColumns }

  /// Columns of the gradient from a tile's first one on.
  @inlinable @inline(__always)
  func columnCount(from place: Place) -> Int { columns &- (panels.lowerBound &+ place.panel) &* vectorWidth }
}

extension Vector {
  /// Writes the first `columns` lanes; all sixteen at once where that is all of them.
  @inlinable @inline(__always)
  func store(_ destination: UnsafeMutablePointer<Float>, columns: Int) {
    if columns == vectorWidth { store(destination) } else { store(destination, count: columns) }
  }

  /// The first `columns` lanes, zeros behind them; all sixteen at once where that is all of them.
  @inlinable @inline(__always)
  init(_ source: UnsafePointer<Float>, columns: Int) {
    if columns == vectorWidth { self.init(source) } else { self.init(source, count: columns) }
  }
}
