import Kernels
import Plan

/// What is above the layers: the rows that are read of the highest one, their logits, the loss; and the same in reverse.
/// y are the rows of `readout`, or those of the highest layer, maybe dropped out.
final class Head {
  let readout: Readout
  let output: OutputLayer
  let loss: OutputLoss
  /// Rows of y, N of them, in each of `passes`.
  private let passes: [ShardedRows]
  private(set) var pass = 0
  let product: WeightGradient

  /// - Parameters:
  ///   - passes: rows of the layers.
  ///   - timesteps: T of the window.
  ///   - product: that of the layers, which serves a head at every timestep too.
  init(
    _ shape: ModelShape, above highest: RecurrentLayer, passes layerPasses: [ShardedRows], timesteps: Int,
    product layerProduct: WeightGradient, weights: FloatArena?
  ) {
    readout = Readout(shape, of: highest, timesteps: timesteps, lanes: layerPasses.map(\.lanes).max()!)
    if shape.head.isPooled {
      passes = layerPasses.map { ShardedRows($0, timesteps: 1) }
      product = WeightGradient(passes: passes, maximumDepth: shape.outputs + 1)
    } else {
      passes = layerPasses
      product =
        shape.isTied ? WeightGradient(passes: passes, maximumDepth: OutputLayer.classesAtOnce) : layerProduct
    }
    output = OutputLayer(shape, passes: passes, padding: OutputLoss.padding(shape.head), weights: weights)
    loss = OutputLoss(shape, passes: passes, weights: weights)
  }

  /// Bytes beside the parameters and their gradient, for segments of `timesteps`.
  static func bytes(_ shape: ModelShape, timesteps: Int, lanes: Int) -> (activations: Int, packed: Int) {
    let rowCount = shape.head.isPooled ? lanes : timesteps * lanes
    let output = OutputLayer.bytes(inputs: shape.outputs, classes: shape.outputClasses, rowCount: rowCount)
    let tails = shape.adaptive.map { AdaptiveTails.bytes($0, rowCount: rowCount) } ?? (activations: 0, packed: 0)
    var activations = output.activations + tails.activations
    if shape.head.isPooled {
      activations += PooledStates.bytes(shape.pooling, lanes: lanes, units: shape.outputs)
      activations += WeightGradient.scratchBytes(rowCount: lanes, maximumDepth: shape.outputs + 1)
    } else if shape.isTied {
      activations += WeightGradient.scratchBytes(rowCount: rowCount, maximumDepth: OutputLayer.classesAtOnce)
    }
    return (activations, output.packed + tails.packed)
  }

  /// What follows is about a pass, an index of `passes`.
  func use(pass index: Int, lanes: Int) {
    pass = index
    readout.use(lanes: lanes)
    product.use(pass: index)
    output.use(rowCount: rows.order.count)
  }

  /// Rows of y in the pass.
  var rows: ShardedRows { passes[pass] }

  /// Copies one share of the head's parameters into the order of the products.
  func pack(_ parameters: UnsafePointer<Float>, share: Share) {
    output.pack(parameters, share: share)
    loss.tails?.pack(parameters, share: share)
  }

  // MARK: Forward

  /// Logits of y [N, Hp].
  func forward(y: UnsafePointer<Float>, between: () throws -> Void) rethrows {
    try output.forward(y: y, between: between)
  }

  /// The loss of all rows, added up into one Double for each shard; the logits become dlogits, times `scale` =
  /// 1 / (targets of the global batch). With `continuing` the sums go on from `shardLosses`.
  func lossAndGradient(
    y: UnsafePointer<Float>, targets: SequenceTargets, scale: Float, continuing: Bool,
    shardLosses: UnsafeMutableBufferPointer<Double>, observe: Observer?, between: () throws -> Void
  ) rethrows {
    let own = try loss.assign(y: y, targets: targets, rows: rows, between: between)
    if let observe { observeLogits(.logit, targets, observe) }
    try forEachShardRow(shardLosses, continuing, between) { row in
      let value = loss.lossAndGradient(row, output.logits(row: row), targets: own, scale: scale)
      observe?(Observation(.loss, observedRows, .loss(row: row, value)))
      return value
    }
    if let observe { observeLogits(.dLogit, targets, observe) }
    try loss.tails?.projectGradient(between: between)
  }

  /// The loss without a gradient; logits of a softmax are used up.
  func evaluationLoss(
    y: UnsafePointer<Float>, targets: SequenceTargets, continuing: Bool,
    shardLosses: UnsafeMutableBufferPointer<Double>, between: () throws -> Void
  ) rethrows {
    let own = try loss.assign(y: y, targets: targets, rows: rows, between: between)
    try forEachShardRow(shardLosses, continuing, between) { row in
      loss.loss(row, output.logits(row: row), targets: own)
    }
  }

  private func forEachShardRow(
    _ sums: UnsafeMutableBufferPointer<Double>, _ continuing: Bool, _ between: () throws -> Void,
    _ loss: (Int) -> Double
  ) rethrows {
    let rows = rows
    try rows.order.withUnsafeBufferPointer { order in
      for shard in 0..<rows.shardLanes.count {
        var sum = continuing ? sums[shard] : 0
        for place in rows.shardStart[shard]..<rows.shardStart[shard + 1] {
          sum += loss(Int(order[place]))
          if place % Head.rowsAtOnce == 0 { try between() }
        }
        sums[shard] = sum
      }
    }
  }

  /// Rows of logits between two calls of `between` where losses are added up.
  private static let rowsAtOnce = 256

  // MARK: Backward

  /// After the loss: the gradients of the head's parameters, for each subtree of the pass as `WeightGradient` places
  /// them.
  func weightGradient(
    y: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, subtreeStride: Int, piece: ChainPiece?,
    between: () throws -> Void
  ) rethrows {
    try output.weightGradient(
      y: y, using: product, gradient: gradient, subtreeStride: subtreeStride, piece: piece, between: between)
    try loss.tails?.weightGradient(
      pass: pass, gradient: gradient, subtreeStride: subtreeStride, piece: piece, between: between)
  }

  /// After the loss and `weightGradient`: dy [N, Hp].
  func inputGradient(_ dy: UnsafeMutablePointer<Float>, between: () throws -> Void) rethrows {
    try output.inputGradient(dy, between: between)
    try loss.tails?.addInputGradient(dy, between: between)
  }

  // MARK: One row

  /// The logits of a row after `forward`, before the softmax; of an adaptive softmax the logarithms of all
  /// probabilities. Valid until the next call.
  func logits(row: Int, y: UnsafePointer<Float>) -> UnsafeBufferPointer<Float> {
    let logits = UnsafeBufferPointer(output.logits(row: row))
    guard let tails = loss.tails else { return logits }
    return tails.logProbabilities(y: y + row * padded(output.inputs), head: logits.baseAddress!)
  }
}
