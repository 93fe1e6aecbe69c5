import Kernels

/// The layer above the LSTM: logits = y·Wy + by, with softmax cross-entropy or squared error behind it. It runs over N
/// rows: T·B of them for a head at every timestep, B for one at the last.
///
/// Memory: N·Kp floats for the logits, which become their gradient in place; 2·H·Kp for Wy and Wyᵀ packed.
public final class OutputLayer {
  /// H, inputs.
  public let inputs: Int
  /// K, classes: V for a language model.
  public let classes: Int
  private var rowCount: Int
  private let inputStride: Int
  private let logitStride: Int
  private let weights: PackedMatrix
  private let weightsTransposed: PackedMatrix
  private let bias: FloatBuffer
  private let zeros: FloatBuffer
  private let logitRows: FloatBuffer

  /// A layer for up to N = `rowCount` rows. Behind the last output of a row stands `padding`: −∞ before a softmax, so
  /// that its probability is zero; 0 before a squared error. Ranks that share `weights` share the packed weights.
  public init(
    inputs: Int, classes: Int, rowCount: Int, padding: Float = -.infinity, weights arena: FloatArena? = nil
  ) {
    self.inputs = inputs
    self.classes = classes
    self.rowCount = rowCount
    inputStride = padded(inputs)
    logitStride = padded(classes)
    weights = PackedMatrix(depth: inputs, columns: classes, in: arena)
    weightsTransposed = PackedMatrix(depth: classes, columns: inputs, in: arena)
    bias = FloatBuffer(count: logitStride)
    (bias.pointer + classes).update(repeating: padding, count: logitStride - classes)
    zeros = FloatBuffer(count: inputStride)
    logitRows = FloatBuffer(count: rowCount * logitStride)
  }

  /// The next pass has so many rows, at most those of `init`.
  func use(rowCount: Int) { self.rowCount = rowCount }

  /// Numbers in Wy and by: [H + 1, K].
  public static func parameterCount(inputs: Int, classes: Int) -> Int { (inputs + 1) * classes }

  /// Bytes that the layer takes beside its parameters and their gradient.
  public static func bytes(inputs: Int, classes: Int, rowCount: Int) -> (activations: Int, packed: Int) {
    let packed =
      PackedMatrix.bytes(depth: inputs, columns: classes) + PackedMatrix.bytes(depth: classes, columns: inputs)
    return (rowCount * padded(classes) * MemoryLayout<Float>.stride, packed)
  }

  /// Logits of a row, K of them, after `forward`; what the losses leave there after them.
  public func logits(row: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: logitRows.pointer + row * logitStride, count: classes)
  }

  /// Copies Wy and, as the last row, by, [H + 1, K], into the order in which the products read them:
  /// one share of Wy, and all of by.
  public func pack(_ parameters: UnsafePointer<Float>, share: Share = .whole) {
    // Panel after panel of the transpose: what the first copy has read is still in the cache for the second.
    let rows = share.of(inputs, unit: vectorWidth)
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: vectorWidth) {
      let count = min(vectorWidth, rows.upperBound - first)
      let source = parameters + first * classes
      weights.pack(source, stride: classes, rows: count, columns: classes, firstRow: first)
      weightsTransposed.packTransposed(source, stride: classes, rows: classes, columns: count, firstColumn: first)
    }
    bias.pointer.update(from: parameters + inputs * classes, count: classes)
  }

  /// logits = y·Wy + by. y [N, Hp].
  public func forward(y: UnsafePointer<Float>) {
    multiply(
      rows: rowCount, x: y, xStride: inputStride, w: weights, start: bias.pointer, startStride: 0,
      z: logitRows.pointer, zStride: logitStride)
  }

  /// Cross-entropy or squared error of all rows, added up into one Double for each shard; the logits become dlogits,
  /// scaled by `scale` = 1 / (targets of the global batch). With `continuing` the sums go on from `shardLosses`.
  public func loss(
    targets: SequenceTargets, scale: Float, rows: ShardedRows, continuing: Bool = false,
    shardLosses: UnsafeMutableBufferPointer<Double>
  ) {
    forEachShardRow(rows, shardLosses, continuing) { row in loss(row: row, targets: targets, scale: scale) }
  }

  /// The loss of one row, whose logits become dlogits.
  func loss(row: Int, targets: SequenceTargets, scale: Float) -> Double {
    let logits = logitRows.pointer + row * logitStride
    return switch targets {
    case .classes(let targets):
      crossEntropy(logits: logits, vocabulary: classes, target: targets[row], scale: scale)
    case .numbers(let targets):
      squaredError(
        predictions: logits, targets: targets.baseAddress! + row * classes, count: classes, scale: scale)
    }
  }

  /// The loss without a gradient; logits of a softmax are used up.
  public func evaluationLoss(
    targets: SequenceTargets, rows: ShardedRows, continuing: Bool = false,
    shardLosses: UnsafeMutableBufferPointer<Double>
  ) {
    switch targets {
    case .classes(let targets):
      forEachShardRow(rows, shardLosses, continuing) { row in
        crossEntropyLoss(logits: logitRows.pointer + row * logitStride, vocabulary: classes, target: targets[row])
      }
    case .numbers(let targets):
      forEachShardRow(rows, shardLosses, continuing) { row in
        squaredErrorLoss(
          predictions: logitRows.pointer + row * logitStride, targets: targets.baseAddress! + row * classes,
          count: classes)
      }
    }
  }

  private func forEachShardRow(
    _ rows: ShardedRows, _ sums: UnsafeMutableBufferPointer<Double>, _ continuing: Bool, _ loss: (Int) -> Double
  ) {
    rows.order.withUnsafeBufferPointer { order in
      for shard in 0..<rows.shardLanes.count {
        var sum = continuing ? sums[shard] : 0
        for place in rows.shardStart[shard]..<rows.shardStart[shard + 1] { sum += loss(Int(order[place])) }
        sums[shard] = sum
      }
    }
  }

  /// After `loss`: dy = dlogits·Wyᵀ. dy [N, Hp].
  public func inputGradient(_ dy: UnsafeMutablePointer<Float>, between: () -> Void = {}) {
    multiply(
      rows: rowCount, x: logitRows.pointer, xStride: logitStride, w: weightsTransposed, start: zeros.pointer,
      startStride: 0, z: dy, zStride: inputStride, between: between)
  }

  /// After `loss`: dWy = Σ yᵀ·dlogits and dby = Σ dlogits for each subtree of the pass, as `WeightGradient` places
  /// them.
  public func weightGradient(
    y: UnsafePointer<Float>, using product: WeightGradient, gradient: UnsafeMutablePointer<Float>, subtreeStride: Int,
    piece: ChainPiece? = nil
  ) {
    product.begin(depth: inputs + 1)
    product.packInput(y, stride: inputStride, columns: inputs, at: 0)
    product.packOnes(at: inputs)
    product.multiply(
      dZ: logitRows.pointer, zStride: logitStride, columns: classes, gradient: gradient,
      gradientStride: classes, subtreeStride: subtreeStride, piece: piece)
  }
}
