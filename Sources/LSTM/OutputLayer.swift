import Kernels

/// The layer above the LSTM: logits = y·Wy + by, with softmax cross-entropy behind it.
///
/// Memory: T·B·Vp floats for the logits, which become their gradient in place; 2·H·Vp for Wy and Wyᵀ packed.
public final class OutputLayer {
  /// H, inputs.
  public let inputs: Int
  /// V, classes or tokens.
  public let vocabulary: Int
  private let rowCount: Int
  private let inputStride: Int
  private let logitStride: Int
  private let weights: PackedMatrix
  private let weightsTransposed: PackedMatrix
  private let bias: FloatBuffer
  private let zeros: FloatBuffer
  private let logitRows: FloatBuffer

  /// A layer for `rowCount` = T·B rows.
  public init(inputs: Int, vocabulary: Int, rowCount: Int) {
    self.inputs = inputs
    self.vocabulary = vocabulary
    self.rowCount = rowCount
    inputStride = padded(inputs)
    logitStride = padded(vocabulary)
    weights = PackedMatrix(depth: inputs, columns: vocabulary)
    weightsTransposed = PackedMatrix(depth: vocabulary, columns: inputs)
    // Logits behind the last token are −∞, so that their probability is zero.
    bias = FloatBuffer(count: logitStride)
    (bias.pointer + vocabulary).update(repeating: -.infinity, count: logitStride - vocabulary)
    zeros = FloatBuffer(count: inputStride)
    logitRows = FloatBuffer(count: rowCount * logitStride)
  }

  /// Numbers in Wy and by: [H + 1, V].
  public static func parameterCount(inputs: Int, vocabulary: Int) -> Int { (inputs + 1) * vocabulary }

  /// Bytes that the layer takes beside its parameters and their gradient.
  public static func bytes(inputs: Int, vocabulary: Int, rowCount: Int) -> (activations: Int, packed: Int) {
    let packed =
      PackedMatrix.bytes(depth: inputs, columns: vocabulary) + PackedMatrix.bytes(depth: vocabulary, columns: inputs)
    return (rowCount * padded(vocabulary) * MemoryLayout<Float>.stride, packed)
  }

  /// Logits of a row, V of them, after `forward`; what the losses leave there after them.
  public func logits(row: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: logitRows.pointer + row * logitStride, count: vocabulary)
  }

  /// Copies Wy and, as the last row, by, [H + 1, V], into the order in which the products read them.
  public func pack(_ parameters: UnsafePointer<Float>) {
    weights.pack(parameters, stride: vocabulary, rows: inputs, columns: vocabulary)
    weightsTransposed.packTransposed(parameters, stride: vocabulary, rows: vocabulary, columns: inputs)
    bias.pointer.update(from: parameters + inputs * vocabulary, count: vocabulary)
  }

  /// logits = y·Wy + by. y [T·B, Hp].
  public func forward(y: UnsafePointer<Float>) {
    multiply(
      rows: rowCount, x: y, xStride: inputStride, w: weights, start: bias.pointer, startStride: 0,
      z: logitRows.pointer, zStride: logitStride)
  }

  /// Cross-entropy of all rows, added up into one Double for each shard; the logits become dlogits, scaled by
  /// `scale` = 1 / (targets of the global batch).
  public func loss(
    targets: UnsafeBufferPointer<Int32>, scale: Float, rows: ShardedRows,
    shardLosses: UnsafeMutableBufferPointer<Double>
  ) {
    forEachShardRow(rows, shardLosses) { row in
      crossEntropy(
        logits: logitRows.pointer + row * logitStride, vocabulary: vocabulary, target: targets[row], scale: scale)
    }
  }

  /// Cross-entropy without a gradient; the logits are used up.
  public func evaluationLoss(
    targets: UnsafeBufferPointer<Int32>, rows: ShardedRows, shardLosses: UnsafeMutableBufferPointer<Double>
  ) {
    forEachShardRow(rows, shardLosses) { row in
      crossEntropyLoss(logits: logitRows.pointer + row * logitStride, vocabulary: vocabulary, target: targets[row])
    }
  }

  private func forEachShardRow(
    _ rows: ShardedRows, _ sums: UnsafeMutableBufferPointer<Double>, _ loss: (Int) -> Double
  ) {
    rows.order.withUnsafeBufferPointer { order in
      for shard in 0..<rows.shardLanes.count {
        var sum = 0.0
        for place in rows.shardStart[shard]..<rows.shardStart[shard + 1] { sum += loss(Int(order[place])) }
        sums[shard] = sum
      }
    }
  }

  /// After `loss`: dy = dlogits·Wyᵀ. dy [T·B, Hp].
  public func inputGradient(_ dy: UnsafeMutablePointer<Float>) {
    multiply(
      rows: rowCount, x: logitRows.pointer, xStride: logitStride, w: weightsTransposed, start: zeros.pointer,
      startStride: 0, z: dy, zStride: inputStride)
  }

  /// After `loss`: dWy = Σ yᵀ·dlogits and dby = Σ dlogits for each subtree of the rank's shards.
  public func weightGradient(
    y: UnsafePointer<Float>, using product: WeightGradient, gradient: UnsafeMutablePointer<Float>, subtreeStride: Int
  ) {
    product.begin(depth: inputs + 1)
    product.packInput(y, stride: inputStride, columns: inputs, at: 0)
    product.packOnes(at: inputs)
    product.multiply(
      dZ: logitRows.pointer, zStride: logitStride, columns: vocabulary, gradient: gradient,
      gradientStride: vocabulary, subtreeStride: subtreeStride)
  }
}
