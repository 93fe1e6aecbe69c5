import ExactMath
import Kernels
import Plan
import Testing

/// `count` numbers in (−1, 1), the same for the same `seed`.
func randomFloats(_ count: Int, seed: UInt64) -> [Float] {
  var words = PhiloxSequence(seed: seed, purpose: .sampling)
  return (0..<count).map { _ in 2 * Philox.uniform(words.next()) - 1 }
}

@Suite struct ProductTests {
  @Test func multiplyHasTheBitsOfItsReference() {
    for rows in [0, 1, 2, 3, 4, 5, 6, 7, 11, 13, 31] {
      for depth in [0, 1, 2, 3, 17, 33, 1025, 2100] where depth < 1000 || rows < 8 {
        for columns in [1, 3, 15, 16, 17, 35] {
          let (xStride, zStride) = (depth + 3, padded(columns) + 16)
          let x = randomFloats(rows * xStride + 1, seed: 1)
          let source = randomFloats(depth * columns + 1, seed: 2)
          let start = randomFloats(rows * zStride + zStride, seed: 3)
          let w = PackedMatrix(depth: depth, columns: columns)
          w.pack(source, stride: columns, rows: depth, columns: columns)
          for startStride in [0, zStride] {
            var (fast, slow) = (start, start)
            multiply(
              rows: rows, x: x, xStride: xStride, w: w, start: start, startStride: startStride, z: &fast,
              zStride: zStride, between: {})
            Reference.multiply(
              rows: rows, x: x, xStride: xStride, w: w, start: start, startStride: startStride, z: &slow,
              zStride: zStride)
            for row in 0..<rows {
              for column in 0..<columns {
                let place = row * zStride + column
                #expect(
                  fast[place].bitPattern == slow[place].bitPattern, "rows \(rows) depth \(depth) columns \(columns)")
              }
            }
          }
        }
      }
    }
  }

  @Test func aRowHasTheSameBitsBesideAnyOtherRows() {
    let (depth, columns) = (37, 19)
    let x = randomFloats(13 * depth, seed: 4)
    let w = PackedMatrix(depth: depth, columns: columns)
    w.pack(randomFloats(depth * columns, seed: 5), stride: columns, rows: depth, columns: columns)
    var all = [Float](repeating: 0, count: 13 * 32)
    multiplyAdd(rows: 13, x: x, xStride: depth, w: w, z: &all, zStride: 32)
    for row in 0..<13 {
      var one = [Float](repeating: 0, count: 32)
      multiplyAdd(rows: 1, x: Array(x[(row * depth)...]), xStride: depth, w: w, z: &one, zStride: 32)
      #expect(Array(all[row * 32..<row * 32 + columns]) == Array(one[..<columns]))
    }
  }

  /// Columns of whole panels, with and without a remainder behind groups of four of them; terms of one block and of
  /// several. The reference writes N columns; those behind it up to whole panels come out as `start` has them, and
  /// nothing else is touched.
  @Test(arguments: [1, 2, 7], [64, 70, 130])
  func multiplyWritesItsColumnsAndThePaddingAsStartHasItAndNothingElse(rows: Int, columns: Int) {
    let (width, zStride) = (padded(columns), padded(columns) + 16)
    for depth in [0, 3, 2100] {
      let x = randomFloats(rows * (depth + 3), seed: 21)
      let w = PackedMatrix(depth: depth, columns: columns)
      w.pack(
        randomFloats(depth * columns + 1, seed: 22), stride: columns, rows: depth, columns: columns)
      let (start, before) = (randomFloats(rows * zStride, seed: 23), randomFloats(rows * zStride, seed: 24))
      for startStride in [0, zStride] {
        var (fast, truth) = (before, before)
        multiply(
          rows: rows, x: x, xStride: depth + 3, w: w, start: start, startStride: startStride, z: &fast,
          zStride: zStride, between: {})
        Reference.multiply(
          rows: rows, x: x, xStride: depth + 3, w: w, start: start, startStride: startStride, z: &truth,
          zStride: zStride)
        for row in 0..<rows {
          for column in columns..<width { truth[row * zStride + column] = start[row * startStride + column] }
        }
        expectSameBits(fast, truth, "depth \(depth), stride of start \(startStride)")
      }
      var (fast, truth) = (before, before)
      multiplyAdd(rows: rows, x: x, xStride: depth + 3, w: w, z: &fast, zStride: zStride)
      Reference.multiply(
        rows: rows, x: x, xStride: depth + 3, w: w, start: before, startStride: zStride, z: &truth, zStride: zStride)
      expectSameBits(fast, truth, "depth \(depth), added")
    }
  }

  /// One comparison for all: a difference of long arrays would take minutes to describe.
  private func expectSameBits(_ fast: [Float], _ truth: [Float], _ what: Comment) {
    let differing = zip(fast, truth).filter { $0.bitPattern != $1.bitPattern }.count
    #expect(differing == 0 && fast.count == truth.count, what)
  }

  /// More panels of W than one group, from the first to the last and back.
  @Test(arguments: [1, 5, 13]) func backwardsThroughTheWeightsHasTheSameBits(rows: Int) {
    for (depth, columns) in [(3, 256), (40, 257), (1030, 530)] {
      let stride = padded(columns)
      let x = randomFloats(rows * depth, seed: 25)
      let w = PackedMatrix(depth: depth, columns: columns)
      w.pack(randomFloats(depth * columns, seed: 26), stride: columns, rows: depth, columns: columns)
      let start = randomFloats(rows * stride, seed: 27)
      var (forwards, backwards, truth) = (start, start, start)
      multiplyAdd(rows: rows, x: x, xStride: depth, w: w, z: &forwards, zStride: stride)
      multiplyAdd(rows: rows, x: x, xStride: depth, w: w, z: &backwards, zStride: stride, backwards: true)
      Reference.multiply(
        rows: rows, x: x, xStride: depth, w: w, start: start, startStride: stride, z: &truth, zStride: stride)
      expectSameBits(forwards, truth, "depth \(depth), columns \(columns)")
      expectSameBits(backwards, truth, "depth \(depth), columns \(columns), backwards")
    }
  }

  /// Within panels, and from one to the next as weights are packed.
  @Test(arguments: [1, 7, 8, 17, 40], [3, 16, 21, 50])
  func packTransposedIsPackOfTheTranspose(rows: Int, columns: Int) {
    for (row, column) in [(2, 13), (0, 16)] { comparePacking(rows: rows, columns: columns, row: row, column: column) }
  }

  private func comparePacking(rows: Int, columns: Int, row: Int, column: Int) {
    let source = randomFloats(rows * columns, seed: 6)
    let transposed = (0..<columns * rows).map { source[$0 % rows * columns + $0 / rows] }
    let (depth, width) = (rows + 3, columns + 20)
    let a = PackedMatrix(depth: depth, columns: width)
    let b = PackedMatrix(depth: depth, columns: width)
    a.pack(source, stride: columns, rows: rows, columns: columns, firstRow: row, firstColumn: column)
    b.packTransposed(transposed, stride: rows, rows: rows, columns: columns, firstRow: row, firstColumn: column)
    for k in 0..<depth {
      for n in 0..<width {
        let isInside = (row..<rows + row).contains(k) && (column..<columns + column).contains(n)
        let truth = isInside ? source[(k - row) * columns + n - column] : 0
        #expect(a[k, n] == truth && b[k, n] == truth)
      }
    }
  }

  @Test func weightGradientHasTheBitsOfItsReference() {
    for (timesteps, globalLanes, shardCount) in [(1, 1, 1), (3, 5, 4), (5, 7, 8), (4, 9, 5), (7, 3, 3)] {
      for ranks in 1...min(4, shardCount) {
        for rank in 0..<ranks {
          let rows = rowsOfRank(
            rank, of: ranks, timesteps: timesteps, globalLanes: globalLanes, shardCount: shardCount)
          for (depth, columns) in [(1, 1), (5, 16), (7, 18), (13, 33)] {
            compareWeightGradients(rows, depth: depth, columns: columns)
          }
        }
      }
    }
  }

  /// Up to three chunks of a shard's rows, of which the chain of a later one goes on from the sums of the one before;
  /// groups of four blocks of A and of eight panels of dZ, each with a remainder.
  @Test(arguments: [(90, 13, 8, 1), (40, 61, 8, 3), (110, 11, 3, 1), (1025, 1, 1, 1), (351, 18, 3, 2)])
  func weightGradientOfManyRowsHasTheBitsOfItsReference(
    timesteps: Int, globalLanes: Int, shardCount: Int, ranks: Int
  ) {
    for rank in 0..<ranks {
      let rows = rowsOfRank(rank, of: ranks, timesteps: timesteps, globalLanes: globalLanes, shardCount: shardCount)
      compareWeightGradients(rows, depth: 118, columns: 150)
    }
  }

  /// Passes of one shard, and of several; the second half of a node joins the first, at odd widths too. Shards of one
  /// chunk, and of two.
  @Test(arguments: [[0, 1, 2, 3, 4], [0, 2, 4], [0, 3, 4], [1, 2, 4], [0, 1, 4]], [3, 600])
  func weightGradientOfSeveralPassesHasTheBitsOfItsReference(cuts: [Int], timesteps: Int) {
    let passes = zip(cuts, cuts.dropFirst()).map { first, end in
      ShardedRows(
        timesteps: timesteps, shardLanes: (0..<end - first).map { 2 * $0..<2 * $0 + 2 }, shards: first..<end,
        ownShards: cuts[0]..<4, shardCount: 4)
    }
    for (depth, columns) in [(1, 1), (7, 18), (13, 33), (24, 64)] {
      compareWeightGradients(passes, depth: depth, columns: columns)
    }
  }

  /// Chains in two pieces, the last timesteps first, in passes of which the second completes a node of the first; shards
  /// of one chunk, and of two.
  @Test(arguments: [2, 5, 600]) func weightGradientInPiecesHasTheBitsOfOnePiece(timesteps: Int) {
    func passes(_ timesteps: Int) -> [ShardedRows] {
      [0..<2, 2..<3, 3..<5].map { shards in
        ShardedRows(
          timesteps: timesteps, shardLanes: (0..<shards.count).map { 2 * $0..<2 * $0 + 2 },
          shards: shards, ownShards: 0..<5, shardCount: 8)
      }
    }
    for (depth, columns) in [(1, 1), (13, 33), (24, 64)] {
      let (zStride, stride) = (padded(columns), depth * columns)
      var (whole, cut) = ([Float](repeating: .nan, count: 5 * stride), [Float](repeating: .nan, count: 5 * stride))
      for (index, pass) in passes(timesteps).enumerated() {
        let a = randomFloats(pass.order.count * depth + 1, seed: UInt64(30 + index))
        let dZ = randomFloats(pass.order.count * zStride + 1, seed: UInt64(40 + index))
        var waiting = [Float](repeating: .nan, count: 2 * stride)
        func multiply(_ timesteps: Range<Int>, into gradient: inout [Float], begins: Bool, ends: Bool) {
          let product = WeightGradient(passes: passes(timesteps.count), maximumDepth: depth)
          product.use(pass: index)
          product.begin(depth: depth)
          let first = timesteps.lowerBound * pass.lanes
          a.withUnsafeBufferPointer {
            product.packInput($0.baseAddress! + first * depth, stride: depth, columns: depth, at: 0)
          }
          dZ.withUnsafeBufferPointer { dZ in
            waiting.withUnsafeMutableBufferPointer { waiting in
              product.multiply(
                dZ: dZ.baseAddress! + first * zStride, zStride: zStride, columns: columns, gradient: &gradient,
                gradientStride: columns, subtreeStride: stride,
                piece: begins && ends
                  ? nil
                  : ChainPiece(sums: waiting.baseAddress!, shardStride: stride, begins: begins, ends: ends), between: {}
              )
            }
          }
        }
        multiply(0..<timesteps, into: &whole, begins: true, ends: true)
        multiply(timesteps / 2..<timesteps, into: &cut, begins: true, ends: false)
        multiply(0..<timesteps / 2, into: &cut, begins: false, ends: true)
        expectSameBits(cut, whole, "pass \(index), depth \(depth), columns \(columns)")
      }
    }
  }

  private func rowsOfRank(
    _ rank: Int, of ranks: Int, timesteps: Int, globalLanes: Int, shardCount: Int
  ) -> ShardedRows {
    let shards = rank * shardCount / ranks..<(rank + 1) * shardCount / ranks
    let first = shards.lowerBound * globalLanes / shardCount
    let lanes = shards.map {
      $0 * globalLanes / shardCount - first..<($0 + 1) * globalLanes / shardCount - first
    }
    return ShardedRows(timesteps: timesteps, shardLanes: lanes, shards: shards, shardCount: shardCount)
  }

  private func compareWeightGradients(_ rows: ShardedRows, depth: Int, columns: Int) {
    compareWeightGradients([rows], depth: depth, columns: columns)
  }

  private func compareWeightGradients(_ passes: [ShardedRows], depth: Int, columns: Int) {
    let gradients = passes.flatMap(\.subtrees).map { $0.place.index + 1 }.max() ?? 0
    var fast = [Float](repeating: .nan, count: gradients * (depth + 1) * columns)
    var slow = fast
    let product = WeightGradient(passes: passes, maximumDepth: depth + 1)
    for (index, pass) in passes.enumerated() {
      product.use(pass: index)
      compare(pass, product, depth: depth, columns: columns, fast: &fast, slow: &slow)
      expectSameBits(fast, slow, "depth \(depth), columns \(columns)")
    }
  }

  private func compare(
    _ rows: ShardedRows, _ product: WeightGradient, depth: Int, columns: Int, fast: inout [Float],
    slow: inout [Float]
  ) {
    let (count, zStride) = (rows.order.count, padded(columns))
    let a = randomFloats(count * depth + 1, seed: 7)
    let dZ = randomFloats(count * zStride + 1, seed: 8)
    let stride = (depth + 1) * columns
    product.begin(depth: depth + 1)
    product.packInput(a, stride: depth, columns: depth, at: 0)
    product.packOnes(at: depth)
    // In one run, and in several of which each leaves the others' rows as they are.
    let runs = 1 + depth % 3
    for run in 0..<runs {
      product.multiply(
        dZ: dZ, zStride: zStride, columns: columns, gradient: &fast, gradientStride: columns, subtreeStride: stride,
        blocks: product.blocks(ofRun: run, of: runs), between: {})
    }
    #expect(product.rows(below: product.blocks(ofRun: 1, of: 2).upperBound) == depth + 1)
    var withOnes: [Float] = []
    for row in 0..<count { withOnes += a[row * depth..<(row + 1) * depth] + [1] }
    Reference.weightGradient(
      rows: rows, a: withOnes, aStride: depth + 1, depth: depth + 1, dZ: dZ, zStride: zStride, columns: columns,
      gradient: &slow, gradientStride: columns, subtreeStride: stride)
  }

  @Test func crossEntropyHasTheBitsOfItsReference() {
    for vocabulary in [1, 2, 15, 16, 17, 65, 100] {
      for target in [Int32(-1), 0, Int32(vocabulary - 1)] {
        let width = padded(vocabulary)
        var logits = randomFloats(width, seed: UInt64(vocabulary)).map { 9 * $0 }
        for v in vocabulary..<width { logits[v] = -.infinity }
        var (fast, slow, alone) = (logits, logits, logits)
        let loss = crossEntropy(logits: &fast, vocabulary: vocabulary, target: target, scale: 0.25)
        let truth = Reference.crossEntropy(logits: &slow, vocabulary: vocabulary, target: target, scale: 0.25)
        #expect(loss == truth && fast.map(\.bitPattern) == slow.map(\.bitPattern))
        #expect(crossEntropyLoss(logits: &alone, vocabulary: vocabulary, target: target) == loss)
        #expect(abs(fast.reduce(0, +)) < 1e-6)
      }
    }
  }
}
