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
      ahead: TileAhead(
        nextColumns(chunk, place, share: 2 &* (place.panel &+ panel) &+ half, of: 2 &* panels.count),
        PanelsAhead(none: z)))
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
}
