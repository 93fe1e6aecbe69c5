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
  private var pass: Pass
  /// Whether the rows of a product are some of a pass's, as many as `use(pass:shardStart:)` says.
  private let takesSomeRows: Bool
  private var depth = 0
  /// A, chunk after chunk; in each its blocks of twelve columns, [rows, 12].
  private let inputs: FloatBuffer
  /// Some panels of dZ, chunk after chunk; in each its panels, [rows, 16].
  private let panels: FloatBuffer
  /// Unfinished sums: for each level of the summation tree those of some blocks and panels, six vectors for half a
  /// block and a panel.
  private let stack: UnsafeMutablePointer<Vector>

  /// Rows up to which a tile is finished at once: a panel of them stays in the first-level cache.
  private static let fewRows = 512
  /// Bytes of packed dZ that stay in the second-level cache while all of A passes.
  private static let panelBytes = 256 << 10
  /// Rows of a chunk, where there are more: four panels of them stay in the first-level cache.
  private static let chunkRows = 128

  /// Rows of A that are packed for all columns before the next ones: they stay in the first-level cache.
  private static let packedRows = 32

  private static func panelsAtOnce(rowCount: Int) -> Int {
    if rowCount > fewRows { return 4 }
    return min(16, max(1, panelBytes / max(1, rowCount * vectorWidth * MemoryLayout<Float>.stride)))
  }

  private static func blocksAtOnce(rowCount: Int) -> Int { rowCount > fewRows ? 16 : 1 }

  /// - Parameters:
  ///   - passes: the order of the chains in each pass. The first one is in use until `use` says otherwise.
  ///   - maximumDepth: the largest K (columns of A) of any product.
  /// - Precondition: there is a pass.
  ///   - takesSomeRows: whether a product has only some rows of a pass, lying one behind the other in the order of the
  ///     chains; how many, `use(pass:shardStart:)` says each time.
  public init(passes: [ShardedRows], maximumDepth: Int, takesSomeRows: Bool = false) {
    self.passes = passes.map(Pass.init)
    self.takesSomeRows = takesSomeRows
    let rowCount = self.passes.map(\.rowCount).max()!
    pass = takesSomeRows ? Pass(upTo: rowCount, shards: self.passes.map(\.chunksOfShard.count).max()!) : self.passes[0]
    let blocks = WeightGradient.blockCount(depth: maximumDepth)
    inputs = FloatBuffer(count: blocks * blockColumns * rowCount)
    let panelRows = takesSomeRows ? WeightGradient.mostPanelRows(rowCount: rowCount) : 0
    panels = FloatBuffer(
      count: max(panelRows, self.passes.map { $0.panelsAtOnce * $0.rowCount }.max()!) * vectorWidth)
    let mostTiles = takesSomeRows ? WeightGradient.mostTiles(rowCount: rowCount) : 0
    let vectors = self.passes.map { $0.stackVectors(tiles: mostTiles) }.max()!
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

  /// What the products of a pass go by.
  private struct Pass {
    /// What the shards sum up to.
    var subtrees: [ShardedRows.Subtree]
    /// Row of every place of the chains.
    let order: [Int32]
    var rowCount: Int
    /// The rows in chain order, cut into pieces of one shard each that are packed and multiplied one after another.
    var chunks: [Range<Int>] = []
    /// The chunks of each shard: at least one, which may be empty.
    var chunksOfShard: [Range<Int>] = []
    var panelsAtOnce: Int
    /// Blocks of A whose tiles are summed together, chunk of rows after chunk of rows.
    var blocksAtOnce: Int

    init(_ rows: ShardedRows) {
      (subtrees, order, rowCount) = (rows.subtrees, rows.order, rows.order.count)
      panelsAtOnce = WeightGradient.panelsAtOnce(rowCount: rowCount)
      blocksAtOnce = WeightGradient.blocksAtOnce(rowCount: rowCount)
      for (start, end) in zip(rows.shardStart, rows.shardStart.dropFirst()) { appendChunks(of: start..<end) }
    }

    /// Room for some rows of passes of up to `mostRows` rows and so many shards.
    init(upTo mostRows: Int, shards: Int) {
      (subtrees, order, rowCount) = ([], (0..<Int32(mostRows)).map { $0 }, 0)
      (panelsAtOnce, blocksAtOnce) = (1, 1)
      chunks.reserveCapacity(mostRows / chunkRows + shards)
      chunksOfShard.reserveCapacity(shards)
    }

    mutating func take(_ shardStart: UnsafeBufferPointer<Int>, of pass: Pass) {
      (subtrees, rowCount) = (pass.subtrees, shardStart[pass.chunksOfShard.count])
      panelsAtOnce = WeightGradient.panelsAtOnce(rowCount: rowCount)
      blocksAtOnce = WeightGradient.blocksAtOnce(rowCount: rowCount)
      chunks.removeAll(keepingCapacity: true)
      chunksOfShard.removeAll(keepingCapacity: true)
      for shard in pass.chunksOfShard.indices { appendChunks(of: shardStart[shard]..<shardStart[shard + 1]) }
    }

    /// A shard's rows in pieces, where a panel of all rows does not stay in the first-level cache.
    private mutating func appendChunks(of shard: Range<Int>) {
      let first = chunks.count
      if rowCount > fewRows && !shard.isEmpty {
        for start in stride(from: shard.lowerBound, to: shard.upperBound, by: chunkRows) {
          chunks.append(start..<min(start + chunkRows, shard.upperBound))
        }
      } else {
        chunks.append(shard)
      }
      chunksOfShard.append(first..<chunks.count)
    }

    /// Vectors of the stack, for groups of at least so many tiles.
    func stackVectors(tiles: Int) -> Int {
      let deepest = subtrees.map(\.leaves.count).max() ?? 1
      return (Int.bitWidth - deepest.leadingZeroBitCount + 1) * max(tiles, blocksAtOnce * panelsAtOnce) * blockColumns
    }
  }

  /// Rows of all panels at once, at most, for any number of rows up to `rowCount`.
  private static func mostPanelRows(rowCount: Int) -> Int {
    max(4 * rowCount, panelBytes / (vectorWidth * MemoryLayout<Float>.stride))
  }

  /// Blocks times panels at once, at most, for any number of rows up to `rowCount`.
  private static func mostTiles(rowCount: Int) -> Int {
    max(
      panelsAtOnce(rowCount: 0) * blocksAtOnce(rowCount: 0),
      panelsAtOnce(rowCount: rowCount) * blocksAtOnce(rowCount: rowCount))
  }

  deinit { stack.deallocate() }

  /// Bytes of scratch memory, at most, for `rowCount` rows and a largest K.
  public static func scratchBytes(rowCount: Int, maximumDepth: Int) -> Int {
    let floats = blockCount(depth: maximumDepth) * blockColumns * rowCount
    // No plan has more shards than 2¹⁶, so no stack more levels.
    let stackBytes = 17 * blocksAtOnce(rowCount: rowCount) * blockColumns * 16 * MemoryLayout<Vector>.stride
    return floats * MemoryLayout<Float>.stride + stackBytes
      + max(panelBytes, 4 * rowCount * vectorWidth * MemoryLayout<Float>.stride)
  }

  /// Begins a product with `depth` columns of A, none of them packed yet.
  /// - Precondition: `depth` ≤ the largest that was announced.
  public func begin(depth: Int) {
    self.depth = depth
    precondition(blockCount * blockColumns * pass.rowCount <= inputs.count, "deeper than announced")
    // The unused columns of the last block take part in its tiles.
    for column in depth..<blockCount * blockColumns { fillColumn(column, with: 0) }
  }

  /// Packs a column block of A: columns `at` ..< `at` + `columns` are those of `source` [T·B, stride], times `scale`.
  public func packInput(
    _ source: UnsafePointer<Float>, stride: Int, columns: Int, at first: Int, scale: Float = 1
  ) {
    for chunk in pass.chunks {
      for start in Swift.stride(from: chunk.lowerBound, to: chunk.upperBound, by: WeightGradient.packedRows) {
        let places = start..<min(start + WeightGradient.packedRows, chunk.upperBound)
        var column = 0
        while column < columns {
          let (block, offset) = (first + column).quotientAndRemainder(dividingBy: blockColumns)
          let run = min(columns - column, blockColumns - offset)
          let to = input(chunk, block: block) + (start - chunk.lowerBound) * blockColumns + offset
          if run == blockColumns && scale == 1 {
            packBlock(source + column, stride: stride, places: places, to: to)
          } else {
            packRuns(source + column, stride: stride, places: places, count: run, scale: scale, to: to)
          }
          column &+= run
        }
      }
    }
  }

  /// A block of twelve columns of A in a chunk.
  private func input(_ chunk: Range<Int>, block: Int) -> UnsafeMutablePointer<Float> {
    inputs.pointer + (chunk.lowerBound * blockCount + block * chunk.count) * blockColumns
  }

  /// Blocks of twelve columns of the product, so of twelve rows of the gradient.
  private var blockCount: Int { WeightGradient.blockCount(depth: depth) }

  /// The blocks of one of so many runs, which are as even as they come.
  public func blocks(ofRun run: Int, of runs: Int) -> Range<Int> {
    run * blockCount / runs..<(run + 1) * blockCount / runs
  }

  /// The rows of the gradient in the blocks below `block`.
  public func rows(below block: Int) -> Int { min(block * blockColumns, depth) }

  private static func blockCount(depth: Int) -> Int { (depth + blockColumns - 1) / blockColumns }

  /// Twelve columns of some rows.
  private func packBlock(
    _ source: UnsafePointer<Float>, stride: Int, places: Range<Int>, to: UnsafeMutablePointer<Float>
  ) {
    pass.order.withUnsafeBufferPointer { order in
      var to = UnsafeMutableRawPointer(to)
      for place in places {
        let row = UnsafeRawPointer(source + Int(order[place]) * stride)
        to.storeBytes(of: row.loadUnaligned(as: SIMD8<Float>.self), as: SIMD8<Float>.self)
        to.storeBytes(
          of: row.loadUnaligned(fromByteOffset: 32, as: SIMD4<Float>.self), toByteOffset: 32, as: SIMD4<Float>.self)
        to += blockColumns * MemoryLayout<Float>.stride
      }
    }
  }

  /// Fewer columns of some rows, or scaled ones.
  private func packRuns(
    _ source: UnsafePointer<Float>, stride: Int, places: Range<Int>, count: Int, scale: Float,
    to: UnsafeMutablePointer<Float>
  ) {
    pass.order.withUnsafeBufferPointer { order in
      for place in places {
        let row = source + Int(order[place]) * stride
        for i in 0..<count { to[(place - places.lowerBound) * blockColumns + i] = scale * row[i] }
      }
    }
  }

  /// Packs a column of ones: its row of dW is db = Σ dZ.
  public func packOnes(at column: Int) { fillColumn(column, with: 1) }

  private func fillColumn(_ column: Int, with value: Float) {
    let (block, offset) = column.quotientAndRemainder(dividingBy: blockColumns)
    for chunk in pass.chunks {
      let to = input(chunk, block: block) + offset
      for i in 0..<chunk.count { to[i * blockColumns] = value }
    }
  }

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
    let (panelsAtOnce, blocksAtOnce) = (pass.panelsAtOnce, pass.blocksAtOnce)
    for firstPanel in stride(from: 0, to: panelCount, by: panelsAtOnce) {
      let panels = firstPanel..<min(firstPanel + panelsAtOnce, panelCount)
      packPanels(dZ + firstPanel * vectorWidth, stride: zStride, count: panels.count)
      for firstBlock in stride(from: blocks.lowerBound, to: blocks.upperBound, by: blocksAtOnce) {
        let group = TileGroup(
          blocks: firstBlock..<min(firstBlock + blocksAtOnce, blocks.upperBound), panels: panels,
          rowStride: gradientStride, columns: columns)
        for subtree in pass.subtrees {
          if let piece {
            sum(group, subtree: subtree, piece: piece)
            guard piece.ends else { continue }
          } else {
            sum(group, subtree: subtree)
          }
          for left in subtree.place.leftSiblings.reversed() { add(gradient + left * subtreeStride, to: group) }
          store(group, at: stack, to: gradient + subtree.place.index * subtreeStride)
        }
        between()
      }
    }
  }

  private func packPanels(_ dZ: UnsafePointer<Float>, stride: Int, count: Int) {
    pass.order.withUnsafeBufferPointer { order in
      for chunk in pass.chunks {
        let to = panels.pointer + chunk.lowerBound * count * vectorWidth
        for place in chunk {
          let row = dZ + Int(order[place]) * stride
          for panel in 0..<count {
            Vector(row + panel * vectorWidth).store(
              to + (panel * chunk.count + place - chunk.lowerBound) * vectorWidth)
          }
        }
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
  /// no bit.
  private func sum(_ group: TileGroup, subtree: ShardedRows.Subtree) {
    var level = 0
    for leaf in subtree.leaves {
      let merges = subtree.mergesAfterLeaf[leaf - subtree.leaves.lowerBound]
      addChain(group, leaf: leaf, merges: merges, level: level)
      level += 1 - merges
    }
  }

  /// The same where the chains come in pieces: leaves wait as they are for the next piece, and only the last one adds
  /// them up.
  private func sum(_ group: TileGroup, subtree: ShardedRows.Subtree, piece: ChainPiece) {
    var level = 0
    for leaf in subtree.leaves {
      let merges = piece.ends ? subtree.mergesAfterLeaf[leaf - subtree.leaves.lowerBound] : 0
      let waiting = piece.sums(ofShard: leaf)
      if !piece.begins { load(group, from: waiting, to: stack + level * group.vectors) }
      addChain(group, leaf: leaf, merges: merges, level: level, continuing: !piece.begins)
      if piece.ends { level += 1 - merges } else { store(group, at: stack, to: waiting) }
    }
  }

  /// The chain of a leaf, from +0.0 or from the sums on a level of the stack.
  private func addChain(_ group: TileGroup, leaf: Int, merges: Int, level: Int, continuing: Bool = false) {
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
