import Plan

/// The product dW = Aᵀ·dZ over all timesteps and lanes, in the order that the contract of bits fixes: one chain of
/// fused multiply-adds from +0.0 for each shard, rows in the order of `ShardedRows`, and the summation tree over
/// shards. The tree is walked tile by tile while the sums are in registers, so it costs no second gradient and no
/// further walk through memory; nor do sums of earlier passes that a tile completes, but that they are read.
///
/// Made once for the passes of a batch shape. For each product: `begin`, `packInput` and `packOnes` for the column
/// blocks of A, and `multiply` for each column block of dZ. Holds scratch memory, so one object serves one thread.
///
/// Cost 2·T·B·K·N flop. Truth: `Reference.weightGradient`.
package final class WeightGradient {
  /// Of each pass.
  private let passes: [Chains]
  /// Of the pass in use.
  var pass: Chains
  /// Whether the rows of a product are some of a pass's, as many as `use(pass:shardStart:)` says.
  private let takesSomeRows: Bool
  var depth = 0
  /// A, chunk after chunk; in each its blocks of twelve columns, [rows, 12].
  let inputs: FloatBuffer
  /// Some panels of dZ, chunk after chunk; in each its panels, [rows, 16].
  let panels: FloatBuffer
  /// Unfinished sums of the tiles that are summed together, `tileStackVectors` each.
  private let stack: UnsafeMutablePointer<Vector>
  private let tileStackVectors: Int
  /// What a product does with the chunks of the pass.
  private let chunks: UnsafeMutableBufferPointer<GradientTiles.Chunk>
  private var chunkCount = 0

  /// - Parameters:
  ///   - passes: the order of the chains in each pass. The first one is in use until `use` says otherwise.
  ///   - maximumDepth: the largest K (columns of A) of any product.
  ///   - takesSomeRows: whether a product has only some rows of a pass, lying one behind the other in the order of the
  ///     chains; how many, `use(pass:shardStart:)` says each time.
  /// - Precondition: there is a pass.
  package init(passes: [ShardedRows], maximumDepth: Int, takesSomeRows: Bool = false) {
    self.passes = passes.map(Chains.init)
    self.takesSomeRows = takesSomeRows
    let rowCount = self.passes.map(\.rowCount).max()!
    let mostShards = self.passes.map(\.chunksOfShard.count).max()!
    pass = takesSomeRows ? Chains(upTo: rowCount, shards: mostShards) : self.passes[0]
    let blocks = WeightGradient.blockCount(depth: maximumDepth)
    inputs = FloatBuffer(count: blocks * blockColumns * rowCount)
    panels = FloatBuffer(count: WeightGradient.panelsAtOnce * rowCount * vectorWidth)
    tileStackVectors = self.passes.map(\.tileStackVectors).max()!
    let vectors = tileStackVectors * WeightGradient.blocksAtOnce * ((WeightGradient.panelsAtOnce + 1) / 2)
    stack = .allocate(capacity: vectors)
    stack.initialize(repeating: .zero, count: vectors)
    chunks = .allocate(capacity: self.passes.map(\.mostChunks).max()!)
    // Chosen now, so that the first step does not allocate for it.
    _ = InstructionSet.current
  }

  /// For a single pass.
  package convenience init(rows: ShardedRows, maximumDepth: Int) {
    self.init(passes: [rows], maximumDepth: maximumDepth)
  }

  /// The next products are those of a pass, over all its rows.
  package func use(pass index: Int) {
    precondition(!takesSomeRows, "the rows of each product must be said")
    pass = passes[index]
  }

  /// The next products have some rows of a pass: row i is place i of the chains, and those of a shard are
  /// `shardStart[shard] ..< shardStart[shard + 1]`.
  package func use(pass index: Int, shardStart: UnsafeBufferPointer<Int>) {
    precondition(takesSomeRows, "announced for whole passes")
    pass.take(shardStart, of: passes[index])
  }

  deinit {
    stack.deallocate()
    chunks.deallocate()
  }

  /// Begins a product with `depth` columns of A, none of them packed yet.
  /// - Precondition: `depth` ≤ the largest that was announced.
  package func begin(depth: Int) {
    self.depth = depth
    precondition(blockCount * blockColumns * pass.rowCount <= inputs.count, "deeper than announced")
    // The unused columns of the last block take part in its tiles.
    for column in depth..<blockCount * blockColumns { fillColumn(column, with: 0) }
  }

  /// Blocks of twelve columns of the product, so of twelve rows of the gradient.
  var blockCount: Int { WeightGradient.blockCount(depth: depth) }

  /// The blocks of one of `runs` runs, which are as even as they come.
  package func blocks(ofRun run: Int, of runs: Int) -> Range<Int> {
    run * blockCount / runs..<(run + 1) * blockCount / runs
  }

  /// The rows of the gradient in the blocks below `block`.
  package func rows(below block: Int) -> Int { min(block * blockColumns, depth) }

  static func blockCount(depth: Int) -> Int { (depth + blockColumns - 1) / blockColumns }

  /// gradient[j][k, n] = Σ A[row, k] · dZ[row, n] for every subtree of the pass, with j = `place.index`; and before it
  /// the sums of its `place.leftSiblings`, which earlier passes left.
  ///
  /// dZ [T·B, zStride] of which `columns` columns count; its memory must reach to whole vectors. Gradient j begins at
  /// `gradient + j · subtreeStride`, rows `gradientStride` apart. `between` is called after some panels each. With a
  /// `piece` the rows are some of the chains', and only the last piece writes a gradient. Of the gradients' rows only
  /// those of `blocks` are computed, twelve in each block; nil for all.
  package func multiply(
    dZ: UnsafePointer<Float>, zStride: Int, columns: Int, gradient: UnsafeMutablePointer<Float>,
    gradientStride: Int, subtreeStride: Int, piece: ChainPiece? = nil, blocks: Range<Int>? = nil,
    between: () throws -> Void
  ) rethrows {
    let allBlocks = blocks ?? 0..<blockCount
    planChunks(gradient: gradient, subtreeStride: subtreeStride, piece: piece)
    try forEachPart(of: 0..<padded(columns) / vectorWidth, count: WeightGradient.panelsAtOnce) { panels, nextPanels in
      packPanels(dZ + panels.lowerBound * vectorWidth, stride: zStride, count: panels.count)
      try forEachPart(of: allBlocks, count: WeightGradient.blocksAtOnce) { blocks, _ in
        let next = nextRows(during: blocks, of: allBlocks)
        forEachRun { chunks, stackStride in
          compute(
            GradientTiles(
              chunks: chunks, a: inputs.pointer, blockCount: blockCount, blocks: blocks, z: self.panels.pointer,
              panels: panels,
              next: GradientTiles.NextRows(
                dZ + (next.lowerBound * zStride + nextPanels.lowerBound * vectorWidth), stride: zStride,
                count: next.count, panels: nextPanels.count),
              depth: depth, columns: columns, rowStride: gradientStride, stack: stack, stackStride: stackStride))
        }
        try between()
      }
    }
  }

  /// Calls `body` with each part of a range, of `count` numbers where there are as many, and the part behind it.
  private func forEachPart(
    of range: Range<Int>, count: Int, _ body: (_ part: Range<Int>, _ next: Range<Int>) throws -> Void
  ) rethrows {
    for first in stride(from: range.lowerBound, to: range.upperBound, by: count) {
      let end = min(first + count, range.upperBound)
      try body(first..<end, end..<min(end + count, range.upperBound))
    }
  }

  /// The rows of dZ, as they lie in memory, that are asked for during some of the blocks: none where they are
  /// more than a chunk's, for they would drive out what the tiles read.
  private func nextRows(during blocks: Range<Int>, of all: Range<Int>) -> Range<Int> {
    guard pass.rowCount <= WeightGradient.chunkRows else { return 0..<0 }
    let (first, end) = (blocks.lowerBound - all.lowerBound, blocks.upperBound - all.lowerBound)
    return first * pass.rowCount / all.count..<end * pass.rowCount / all.count
  }

  /// What the chunks of the pass begin with and where their sums go. Leaf after leaf of a subtree is added to what is
  /// on the stack as soon as its node is complete. The chain of a leaf of several chunks goes on from the sums on the
  /// stack, so the cut changes no bit. Where chains come in pieces, leaves wait as they are for the next piece, and only
  /// the last one adds them up.
  private func planChunks(gradient: UnsafeMutablePointer<Float>, subtreeStride: Int, piece: ChainPiece?) {
    chunkCount = 0
    for subtree in pass.subtrees {
      guard piece?.ends ?? true else {
        for leaf in subtree.leaves { planLeaf(leaf, level: 0, piece, destination: piece?.sums(ofShard: leaf)) }
        continue
      }
      // The sums of earlier passes that stand on its left come first, as the lowest levels of the stack.
      let left = subtree.place.leftSiblings
      for (level, sibling) in left.enumerated() {
        var chunk = GradientTiles.Chunk(rows: 0..<0, level: level, continuing: true)
        chunk.source = UnsafePointer(gradient + sibling * subtreeStride)
        append(chunk)
      }
      var level = left.count
      for (leaf, merges) in zip(subtree.leaves, subtree.mergesAfterLeaf) {
        let isLast = leaf + 1 == subtree.leaves.upperBound
        planLeaf(
          leaf, level: level, piece, merges: merges + (isLast ? left.count : 0),
          destination: isLast ? gradient + subtree.place.index * subtreeStride : nil)
        level += 1 - merges
      }
    }
  }

  /// The chunks of a leaf, of which the last one does something with the sums.
  private func planLeaf(
    _ leaf: Int, level: Int, _ piece: ChainPiece?, merges: Int = 0, destination: UnsafeMutablePointer<Float>?
  ) {
    let (indices, begins) = (pass.chunksOfShard[leaf], piece?.begins ?? true)
    for index in indices {
      let (isFirst, isLast) = (index == indices.lowerBound, index + 1 == indices.upperBound)
      var chunk = GradientTiles.Chunk(rows: pass.chunks[index], level: level, continuing: !isFirst || !begins)
      if isFirst && !begins { chunk.source = UnsafePointer(piece?.sums(ofShard: leaf)) }
      if isLast { (chunk.merges, chunk.destination) = (merges, destination) }
      append(chunk)
    }
  }

  private func append(_ chunk: GradientTiles.Chunk) {
    precondition(chunkCount < chunks.count, "more chunks than announced")
    chunks[chunkCount] = chunk
    chunkCount += 1
  }

  /// Calls `body` with run after run of chunks whose rows stay in the caches together. Where that is all of them a tile
  /// is done before the next one begins, and they share a stack.
  private func forEachRun(_ body: (_ chunks: UnsafeBufferPointer<GradientTiles.Chunk>, _ stackStride: Int) -> Void) {
    var first = 0
    while first < chunkCount {
      var (end, rows) = (first + 1, chunks[first].rows.count)
      while end < chunkCount, rows + chunks[end].rows.count <= WeightGradient.chunkRows {
        rows += chunks[end].rows.count
        end += 1
      }
      body(
        UnsafeBufferPointer(start: chunks.baseAddress! + first, count: end - first),
        first == 0 && end == chunkCount ? 0 : tileStackVectors)
      first = end
    }
  }
}
