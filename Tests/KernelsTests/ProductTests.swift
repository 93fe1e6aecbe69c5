import Kernels
import Randomness
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
              zStride: zStride)
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

  @Test func packTransposedIsPackOfTheTranspose() {
    let (rows, columns) = (7, 21)
    let source = randomFloats(rows * columns, seed: 6)
    let transposed = (0..<columns * rows).map { source[$0 % rows * columns + $0 / rows] }
    let a = PackedMatrix(depth: 9, columns: 40)
    let b = PackedMatrix(depth: 9, columns: 40)
    a.pack(source, stride: columns, rows: rows, columns: columns, firstRow: 2, firstColumn: 13)
    b.packTransposed(transposed, stride: rows, rows: rows, columns: columns, firstRow: 2, firstColumn: 13)
    for k in 0..<9 { for n in 0..<40 { #expect(a[k, n] == b[k, n]) } }
    #expect(a[2, 13] == source[0] && a[8, 33] == source[rows * columns - 1] && a[1, 13] == 0)
  }

  @Test func weightGradientHasTheBitsOfItsReference() {
    for (timesteps, globalLanes, shardCount) in [(1, 1, 1), (3, 5, 4), (5, 7, 8), (4, 9, 5), (7, 3, 3)] {
      for ranks in 1...min(4, shardCount) {
        for rank in 0..<ranks {
          let shards = rank * shardCount / ranks..<(rank + 1) * shardCount / ranks
          let first = shards.lowerBound * globalLanes / shardCount
          let lanes = shards.map {
            $0 * globalLanes / shardCount - first..<($0 + 1) * globalLanes / shardCount - first
          }
          let rows = ShardedRows(timesteps: timesteps, shardLanes: lanes, shards: shards, shardCount: shardCount)
          for (depth, columns) in [(1, 1), (5, 16), (7, 18), (13, 33)] {
            compareWeightGradients(rows, depth: depth, columns: columns)
          }
        }
      }
    }
  }

  private func compareWeightGradients(_ rows: ShardedRows, depth: Int, columns: Int) {
    let (count, zStride) = (rows.order.count, padded(columns))
    let a = randomFloats(count * depth + 1, seed: 7)
    let dZ = randomFloats(count * zStride + 1, seed: 8)
    let stride = (depth + 1) * columns
    var fast = [Float](repeating: .nan, count: rows.subtrees.count * stride)
    var slow = fast
    let product = WeightGradient(rows: rows, maximumDepth: depth + 1)
    product.begin(depth: depth + 1)
    product.packInput(a, stride: depth, columns: depth, at: 0)
    product.packOnes(at: depth)
    product.multiply(
      dZ: dZ, zStride: zStride, columns: columns, gradient: &fast, gradientStride: columns, subtreeStride: stride)
    var withOnes: [Float] = []
    for row in 0..<count { withOnes += a[row * depth..<(row + 1) * depth] + [1] }
    Reference.weightGradient(
      rows: rows, a: withOnes, aStride: depth + 1, depth: depth + 1, dZ: dZ, zStride: zStride, columns: columns,
      gradient: &slow, gradientStride: columns, subtreeStride: stride)
    #expect(fast.map(\.bitPattern) == slow.map(\.bitPattern))
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
