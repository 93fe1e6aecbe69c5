import Kernels
import LSTM
import Plan
import Testing

@Suite struct LSTMLayerTests {
  /// Small odd sizes: a single unit, one lane, one timestep, sizes around a vector.
  static let sizes = [
    (1, 1, 1, 1), (1, 1, 3, 1), (2, 1, 1, 3), (3, 2, 5, 17), (5, 3, 4, 6), (4, 7, 17, 3), (6, 13, 2, 16),
    (12, 3, 33, 15),
  ]

  @Test(arguments: 0..<8)
  func forwardAndBackwardHaveTheBitsOfTheReference(index: Int) {
    let (T, B, D, H) = LSTMLayerTests.sizes[index]
    let shape = LSTMShape(inputs: D, hidden: H)
    let weights: [Float] = randomNumbers(shape.parameterCount, seed: 1)
    let x: [Float] = randomNumbers(T * B * D, seed: 2)
    let (a0, c0): ([Float], [Float]) = (randomNumbers(B * H, seed: 3), randomNumbers(B * H, seed: 4))
    let dy: [Float] = randomNumbers(T * B * H, seed: 5)
    let (daT, dcT): ([Float], [Float]) = (randomNumbers(B * H, seed: 6), randomNumbers(B * H, seed: 7))

    var truth = ReferenceLSTM<Float>(shape: shape, timesteps: T, lanes: B, weights: weights)
    truth.forward(x: x, a0: a0, c0: c0)
    truth.backward(x: x, dy: dy, daT: daT, dcT: dcT)

    let layer = LSTMLayer(shape: shape, timesteps: T, lanes: B)
    layer.pack(weights)
    layer.hidden(0).update(from: paddedRows(a0, columns: H), count: B * padded(H))
    layer.cell(0).update(from: paddedRows(c0, columns: H), count: B * padded(H))
    let xRows = paddedRows(x, columns: D)
    layer.forward(x: xRows)
    for t in 0...T {
      #expect(unpaddedRows(layer.hidden(t), rows: B, columns: H) == Array(truth.a[t * B * H..<(t + 1) * B * H]))
      #expect(unpaddedRows(layer.cell(t), rows: B, columns: H) == Array(truth.c[t * B * H..<(t + 1) * B * H]))
    }

    var upstream = dy
    for i in 0..<B * H { upstream[(T - 1) * B * H + i] += daT[i] }
    var da = paddedRows(upstream, columns: H)
    layer.backward(da: &da, dcT: paddedRows(dcT, columns: H))
    var dx = [Float](repeating: .nan, count: T * B * padded(D))
    layer.inputGradient(&dx)
    #expect(unpaddedRows(dx, rows: T * B, columns: D) == truth.dx)
    var (da0, dc0) = ([Float](repeating: .nan, count: B * padded(H)), [Float](repeating: .nan, count: B * padded(H)))
    layer.initialStateGradients(da0: &da0, dc0: &dc0)
    #expect(unpaddedRows(da0, rows: B, columns: H) == truth.da0)
    #expect(unpaddedRows(dc0, rows: B, columns: H) == truth.dc0)

    let product = WeightGradient(rows: ShardedRows(timesteps: T, lanes: B), maximumDepth: shape.rows)
    var dW = [Float](repeating: .nan, count: shape.parameterCount)
    layer.weightGradient(x: xRows, using: product, gradient: &dW, subtreeStride: 0)
    #expect(dW.map(\.bitPattern) == truth.dW.map(\.bitPattern))
  }

  @Test func twelveTimestepsAreThreeTimesFourWithCarriedState() {
    let shape = LSTMShape(inputs: 3, hidden: 5)
    let weights: [Float] = randomNumbers(shape.parameterCount, seed: 1)
    let x = paddedRows(randomNumbers(12 * 2 * 3, seed: 2), columns: 3)
    let whole = LSTMLayer(shape: shape, timesteps: 12, lanes: 2)
    let part = LSTMLayer(shape: shape, timesteps: 4, lanes: 2)
    whole.pack(weights)
    part.pack(weights)
    whole.forward(x: x)
    for window in 0..<3 {
      part.forward(x: Array(x[(window * 4 * 2 * 16)...]))
      for t in 1...4 {
        #expect(
          unpaddedRows(part.hidden(t), rows: 2, columns: 5)
            == unpaddedRows(whole.hidden(4 * window + t), rows: 2, columns: 5))
      }
      part.carryState()
    }
    part.clearState(lane: 0)
    part.clearState(lane: 1)
    #expect(unpaddedRows(part.hidden(0), rows: 2, columns: 5) == Array(repeating: 0, count: 10))
  }

  @Test func aRankWithoutLanesRunsAndGivesZeroGradients() {
    let shape = LSTMShape(inputs: 3, hidden: 5)
    let layer = LSTMLayer(shape: shape, timesteps: 4, lanes: 0)
    layer.pack(randomNumbers(shape.parameterCount, seed: 1) as [Float])
    var nothing: [Float] = [0]
    layer.forward(x: nothing)
    layer.backward(da: &nothing)
    let rows = ShardedRows(timesteps: 4, shardLanes: [0..<0], shards: 3..<4, shardCount: 8)
    let product = WeightGradient(rows: rows, maximumDepth: shape.rows)
    var dW = [Float](repeating: .nan, count: shape.parameterCount)
    layer.weightGradient(x: nothing, using: product, gradient: &dW, subtreeStride: 0)
    #expect(dW.allSatisfy { $0.bitPattern == 0 })
  }
}
