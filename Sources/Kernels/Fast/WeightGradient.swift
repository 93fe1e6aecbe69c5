import CProcessor

/// The product dW = Aᵀ·dZ over all timesteps and lanes, in the order that the contract of bits fixes: one chain of
/// fused multiply-adds from +0.0 for each shard, rows in the order of `ShardedRows`, and the summation tree over
/// shards. The tree is walked tile by tile while the sums are in registers, so it costs no second gradient and no
/// further walk through memory; nor do sums of earlier passes that a tile completes, but that they are read.
///
/// Made once for the passes of a batch shape. For each product: `begin`, `packInput` and `packOnes` for the column
/// blocks of A, and `multiply` for each column block of dZ. Holds scratch memory, so one object serves one thread.
///
/// Cost 2·T·B·K·N flop. Truth: `Reference.weightGradient`.
public final class WeightGradient {
  private let passes: [Pass]
  var pass: Pass
  /// Whether the rows of a product are some of a pass's, as many as `use(pass:shardStart:)` says.
  private let takesSomeRows: Bool
  var depth = 0
  /// A, chunk after chunk; in each its blocks of twelve columns, [rows, 12].
  let inputs: FloatBuffer
  /// Some panels of dZ, chunk after chunk; in each its panels, [rows, 16].
  let panels: FloatBuffer
  /// Unfinished sums: for each level of the summation tree those of some blocks and panels, six vectors for half a
  /// block and a panel.
  private let stack: UnsafeMutablePointer<Vector>

  /// - Parameters:
  ///   - passes: the order of the chains in each pass. The first one is in use until `use` says otherwise.
  ///   - maximumDepth: the largest K (columns of A) of any product.
  ///   - takesSomeRows: whether a product has only some rows of a pass, lying one behind the other in the order of the
  ///     chains; how many, `use(pass:shardStart:)` says each time.
  /// - Precondition: there is a pass.
  public init(passes: [ShardedRows], maximumDepth: Int, takesSomeRows: Bool = false) {
    self.passes = passes.map(Pass.init)
    self.takesSomeRows = takesSomeRows
    let rowCount = self.passes.map(\.rowCount).max()!
    pass = takesSomeRows ? Pass(upTo: rowCount, shards: self.passes.map(\.chunksOfShard.count).max()!) : self.passes[0]
    let blocks = WeightGradient.blockCount(depth: maximumDepth)
    inputs = FloatBuffer(count: blocks * blockColumns * rowCount)
    panels = FloatBuffer(count: WeightGradient.panelsAtOnce * rowCount * vectorWidth)
    let vectors = self.passes.map(\.stackVectors).max()!
    stack = .allocate(capacity: vectors)
    stack.initialize(repeating: .zero, count: vectors)
    // Chosen now, so that the first step does not allocate for it.
    _ = InstructionSet.current
  }

  /// For a single pass.
  public convenience init(rows: ShardedRows, maximumDepth: Int) {
    self.init(passes: [rows], maximumDepth: maximumDepth)
  }

  /// The next products are those of a pass, over all its rows.
  public func use(pass index: Int) {
    precondition(!takesSomeRows, "the rows of each product must be said")
    pass = passes[index]
  }

  /// The next products have some rows of a pass: row i is place i of the chains, and those of a shard are
  /// `shardStart[shard] ..< shardStart[shard + 1]`.
  public func use(pass index: Int, shardStart: UnsafeBufferPointer<Int>) {
    precondition(takesSomeRows, "announced for whole passes")
    pass.take(shardStart, of: passes[index])
  }

  deinit { stack.deallocate() }

  /// Begins a product with `depth` columns of A, none of them packed yet.
  /// - Precondition: `depth` ≤ the largest that was announced.
  public func begin(depth: Int) {
    self.depth = depth
    precondition(blockCount * blockColumns * pass.rowCount <= inputs.count, "deeper than announced")
    // The unused columns of the last block take part in its tiles.
    for column in depth..<blockCount * blockColumns { fillColumn(column, with: 0) }
  }

  /// Blocks of twelve columns of the product, so of twelve rows of the gradient.
  var blockCount: Int { WeightGradient.blockCount(depth: depth) }

  /// The blocks of one of so many runs, which are as even as they come.
  public func blocks(ofRun run: Int, of runs: Int) -> Range<Int> {
    run * blockCount / runs..<(run + 1) * blockCount / runs
  }

  /// The rows of the gradient in the blocks below `block`.
  public func rows(below block: Int) -> Int { min(block * blockColumns, depth) }

  static func blockCount(depth: Int) -> Int { (depth + blockColumns - 1) / blockColumns }

  /// gradient[j][k, n] = Σ A[row, k] · dZ[row, n] for every subtree of the pass, with j = `place.index`; and before it
  /// the sums of its `place.leftSiblings`, which earlier passes left.
  ///
  /// dZ [T·B, zStride] of which `columns` columns count; its memory must reach to whole vectors. Gradient j begins at
  /// `gradient + j · subtreeStride`, rows `gradientStride` apart. `between` is called after some panels each. With a
  /// `piece` the rows are some of the chains', and only the last piece writes a gradient. Of the gradients' rows only
  /// those of `blocks` are computed, twelve in each block; nil for all.
  public func multiply(
    dZ: UnsafePointer<Float>, zStride: Int, columns: Int, gradient: UnsafeMutablePointer<Float>,
    gradientStride: Int, subtreeStride: Int, piece: ChainPiece? = nil, blocks: Range<Int>? = nil,
    between: () -> Void = {}
  ) {
    let blocks = blocks ?? 0..<blockCount
    let panelCount = padded(columns) / vectorWidth
    let (panelsAtOnce, blocksAtOnce) = (WeightGradient.panelsAtOnce, WeightGradient.blocksAtOnce)
    for firstPanel in stride(from: 0, to: panelCount, by: panelsAtOnce) {
      let panels = firstPanel..<min(firstPanel + panelsAtOnce, panelCount)
      packPanels(dZ + firstPanel * vectorWidth, stride: zStride, count: panels.count)
      for firstBlock in stride(from: blocks.lowerBound, to: blocks.upperBound, by: blocksAtOnce) {
        let group = TileGroup(
          blocks: firstBlock..<min(firstBlock + blocksAtOnce, blocks.upperBound), panels: panels,
          rowStride: gradientStride, columns: columns)
        for subtree in pass.subtrees {
          let destination = gradient + subtree.place.index * subtreeStride
          sum(group, subtree: subtree, piece: piece, ahead: destination)
          guard piece?.ends ?? true else { continue }
          for left in subtree.place.leftSiblings.reversed() { add(gradient + left * subtreeStride, to: group) }
          store(group, at: stack, to: destination)
        }
        between()
      }
    }
  }

  /// The tiles of some blocks of A and some panels of dZ, and how they lie in a gradient: so many floats from row to
  /// row, so many columns in all.
  private struct TileGroup {
    let blocks: Range<Int>
    let panels: Range<Int>
    let rowStride: Int
    let columns: Int
    var halfBlocks: Range<Int> { 2 * blocks.lowerBound..<2 * blocks.upperBound }
    var vectors: Int { blocks.count * blockColumns * panels.count }
  }

  /// Sums a group's tiles over the leaves of a subtree: leaf after leaf, each added to what is on the stack as soon as
  /// its node is complete. The chain of a leaf of several chunks goes on from the sums on the stack, so the cut changes
  /// no bit. Where chains come in pieces, leaves wait as they are for the next piece, and only the last one adds them up.
  /// Meanwhile the memory `ahead`, where the sums will go, comes into the cache, with each leaf a share of it.
  private func sum(
    _ group: TileGroup, subtree: ShardedRows.Subtree, piece: ChainPiece?, ahead: UnsafePointer<Float>
  ) {
    let (begins, ends) = (piece?.begins ?? true, piece?.ends ?? true)
    var level = 0
    for leaf in subtree.leaves {
      let merges = ends ? subtree.mergesAfterLeaf[leaf - subtree.leaves.lowerBound] : 0
      if let piece, !begins { load(group, from: piece.sums(ofShard: leaf), to: stack + level * group.vectors) }
      if ends { expect(group, at: ahead, leaf: leaf - subtree.leaves.lowerBound, of: subtree.leaves.count) }
      addChain(group, leaf: leaf, merges: merges, level: level, continuing: !begins)
      if let piece, !ends { store(group, at: stack, to: piece.sums(ofShard: leaf)) } else { level += 1 - merges }
    }
  }

  /// Asks for some of the rows of a gradient that a group writes.
  private func expect(_ group: TileGroup, at gradient: UnsafePointer<Float>, leaf: Int, of leaves: Int) {
    let rows = group.blocks.count * blockColumns
    for row in leaf * rows / leaves..<(leaf + 1) * rows / leaves {
      let from = gradient + (group.blocks.lowerBound * blockColumns + row) * group.rowStride
      for panel in group.panels { processor_prefetch(from + panel * vectorWidth) }
    }
  }

  /// The chain of a leaf, from +0.0 or from the sums on a level of the stack.
  private func addChain(_ group: TileGroup, leaf: Int, merges: Int, level: Int, continuing: Bool) {
    let chunks = pass.chunksOfShard[leaf]
    for index in chunks {
      let chunk = pass.chunks[index]
      compute(
        GradientTiles(
          a: input(chunk, block: group.blocks.lowerBound), blockStride: chunk.count * blockColumns,
          blocks: group.blocks.count, z: panels.pointer + chunk.lowerBound * group.panels.count * vectorWidth,
          panelStride: chunk.count * vectorWidth, panels: group.panels.count, rows: chunk.count,
          continuing: continuing || index > chunks.lowerBound,
          merges: index + 1 == chunks.upperBound ? merges : 0, stack: stack + level * group.vectors))
    }
  }

  /// Adds a sum of an earlier pass on the left of a group's finished tiles, which lie at the bottom of the stack.
  private func add(_ left: UnsafePointer<Float>, to group: TileGroup) {
    forEachRow(of: group, at: stack) { tile, place, count in
      tile.pointee = Vector(left + place, columns: count) + tile.pointee
    }
  }

  /// Reads a group's tiles to where they lie on the stack.
  private func load(_ group: TileGroup, from gradient: UnsafePointer<Float>, to tiles: UnsafeMutablePointer<Vector>) {
    forEachRow(of: group, at: tiles) { tile, place, count in tile.pointee = Vector(gradient + place, columns: count) }
  }

  /// Writes a group's tiles from where they lie on the stack.
  private func store(
    _ group: TileGroup, at tiles: UnsafeMutablePointer<Vector>, to gradient: UnsafeMutablePointer<Float>
  ) {
    forEachRow(of: group, at: tiles) { tile, place, count in tile.pointee.store(gradient + place, columns: count) }
  }

  /// Calls `body` with each row of a group's tiles, its place in a gradient, and how many of its columns count.
  @inline(__always)
  private func forEachRow(
    of group: TileGroup, at tiles: UnsafeMutablePointer<Vector>,
    _ body: (_ tile: UnsafeMutablePointer<Vector>, _ place: Int, _ count: Int) -> Void
  ) {
    var tile = tiles
    for half in group.halfBlocks {
      let valid = max(0, min(tileRows, depth - half * tileRows))
      for panel in group.panels {
        let column = panel * vectorWidth
        let place = half * tileRows * group.rowStride + column
        for i in 0..<valid { body(tile + i, place + i * group.rowStride, min(vectorWidth, group.columns - column)) }
        tile += tileRows
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

  /// The first `columns` lanes, zeros behind them; all sixteen at once where that is all of them.
  @inline(__always)
  fileprivate init(_ source: UnsafePointer<Float>, columns: Int) {
    if columns == vectorWidth { self.init(source) } else { self.init(source, count: columns) }
  }
}
