import DataParallel
import ExactMath
import Kernels
import LSTM
import Plan

/// LSTM layers alone on random numbers, for measuring time: forward, and backward to the gradients of weights and
/// inputs. There is no update, so the weights are packed once, before anything is measured.
final class LayersStep {
  private let layers: [LSTMLayer]
  private let product: WeightGradient
  private let x: FloatBuffer
  private let dy: FloatBuffer
  private let downward: FloatBuffer
  private let gradient: FloatBuffer

  init(_ stack: [LSTMShape], timesteps: Int, lanes: Int) {
    layers = stack.map { LSTMLayer(shape: $0, timesteps: timesteps, lanes: lanes) }
    product = WeightGradient(
      rows: ShardedRows(timesteps: timesteps, lanes: lanes), maximumDepth: stack.map(\.rows).max()!)
    let (rows, widest) = (timesteps * lanes, layers.map { max($0.inputStride, $0.hiddenStride) }.max()!)
    x = LayersStep.random(rows: rows, columns: stack[0].inputs, limit: 1, layer: 0)
    dy = LayersStep.random(rows: rows, columns: stack[0].hidden, limit: 1, layer: 1)
    downward = FloatBuffer(count: rows * widest)
    gradient = FloatBuffer(count: stack.map(\.parameterCount).max()!)
    for (index, layer) in layers.enumerated() {
      let limit = 1 / Float(layer.shape.hidden).squareRoot()
      let weights = LayersStep.random(
        rows: 1, columns: layer.shape.parameterCount, limit: limit, layer: 2 + index)
      layer.pack(weights.pointer)
    }
  }

  /// Bytes of all that `init` allocates, but the weights before they are packed.
  static func memoryEstimate(_ stack: [LSTMShape], timesteps: Int, lanes: Int) -> MemoryEstimate {
    let (rows, float) = (timesteps * lanes, MemoryLayout<Float>.stride)
    let layers = stack.map { LSTMLayer.bytes(shape: $0, timesteps: timesteps, lanes: lanes) }
    let widest = stack.map { max(padded($0.inputs), padded($0.hidden)) }.max()!
    let around = rows * (padded(stack[0].inputs) + padded(stack[0].hidden) + widest) * float
    let scratch = WeightGradient.scratchBytes(rowCount: rows, maximumDepth: stack.map(\.rows).max()!)
    return MemoryEstimate(
      parameters: 0, gradients: stack.map(\.parameterCount).max()! * float,
      packed: layers.reduce(0) { $0 + $1.packed },
      activations: layers.reduce(around + scratch) { $0 + $1.activations }, other: 0)
  }

  /// One step from a state of zero.
  func run() {
    for (index, layer) in layers.enumerated() { layer.forward(x: input(ofLayer: index), between: {}) }
    // The backward pass uses up what comes from above.
    downward.pointer.update(from: dy.pointer, count: dy.count)
    for (index, layer) in layers.enumerated().reversed() {
      layer.backward(da: downward.pointer, between: {})
      layer.weightGradient(
        x: input(ofLayer: index), using: product, gradient: gradient.pointer, subtreeStride: gradient.count,
        between: {})
      layer.inputGradient(downward.pointer, between: {})
    }
  }

  private func input(ofLayer index: Int) -> UnsafePointer<Float> {
    index == 0 ? UnsafePointer(x.pointer) : UnsafePointer(layers[index - 1].hidden(1))
  }

  /// Numbers in (−limit, limit), rows padded to whole vectors.
  private static func random(rows: Int, columns: Int, limit: Float, layer: Int) -> FloatBuffer {
    let buffer = FloatBuffer(count: rows * padded(columns))
    let stream = Philox(seed: 1, purpose: .dataGeneration, layer: layer)
    for row in 0..<rows {
      for column in 0..<columns {
        let words = stream.words(block: column / 4, t: row)
        buffer.pointer[row * padded(columns) + column] = (2 * Philox.uniform(words[column % 4]) - 1) * limit
      }
    }
    return buffer
  }
}
