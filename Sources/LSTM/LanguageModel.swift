import Kernels

/// The part of a batch that one rank computes, and the memory in which a step of it runs.
///
/// Memory in floats for T·B rows of the rank: L·T·B·(4Hp + 2Hp) for gates, hidden and cell states; T·B·(Dp + Hp) for
/// the embedded tokens and the gradient that travels down; T·B·Vp for the logits; with dropout L·T·B·Hp more. With
/// T = 128, B = 32, H = D = 512, L = 2, V = 65: 4096·(2·3072 + 1024 + 80) · 4 bytes = 119 MB.
/// Weights: packed twice (W and Wᵀ), beside the parameters and one gradient for each subtree of the rank's shards.
public final class LanguageModel {
  /// Sizes of the model.
  public let shape: LanguageModelShape
  /// Which rows belong to which shard.
  public let rows: ShardedRows
  /// The rank's first lane within the global batch.
  public let firstLane: Int
  /// The LSTM layers, lowest first.
  public let layers: [LSTMLayer]
  /// Wy and the loss.
  public let output: OutputLayer

  private let embedding: Embedding
  private let embedded: FloatBuffer
  private let dropout: Dropout?
  /// With dropout, what layer l ≥ 1 and the output layer read; without it they read the states below directly.
  private let dropped: [Activations]
  /// The gradient on its way down: of the states of a layer, then of its inputs.
  private let downward: FloatBuffer
  private let product: WeightGradient

  private final class Activations {
    let buffer: FloatBuffer
    init(count: Int) { buffer = FloatBuffer(count: count) }
  }

  /// The memory for steps over `rows`. `pack` must come before the first `forward`.
  public init(shape: LanguageModelShape, rows: ShardedRows, firstLane: Int, dropout: Dropout? = nil) {
    self.shape = shape
    self.rows = rows
    self.firstLane = firstLane
    self.dropout = dropout.flatMap { $0.rate > 0 ? $0 : nil }
    let rowCount = rows.timesteps * rows.lanes
    layers = shape.lstm.map { LSTMLayer(shape: $0, timesteps: rows.timesteps, lanes: rows.lanes) }
    output = OutputLayer(inputs: shape.hidden, vocabulary: shape.vocabulary, rowCount: rowCount)
    embedding = Embedding(vocabulary: shape.vocabulary, size: shape.embedding, rows: rows)
    embedded = FloatBuffer(count: rowCount * padded(shape.embedding))
    dropped =
      self.dropout == nil ? [] : (0..<shape.layers).map { _ in Activations(count: rowCount * padded(shape.hidden)) }
    downward = FloatBuffer(count: rowCount * max(padded(shape.embedding), padded(shape.hidden)))
    product = WeightGradient(rows: rows, maximumDepth: shape.lstm.map(\.rows).max()!)
  }

  /// Bytes that a model takes on a rank: parameters, one gradient for each subtree, packed weights, activations.
  public static func memory(
    shape: LanguageModelShape, timesteps: Int, lanes: Int, subtrees: Int, dropout: Bool
  ) -> (parameters: Int, gradients: Int, packed: Int, activations: Int) {
    let rowCount = timesteps * lanes
    let float = MemoryLayout<Float>.stride
    let (Dp, Hp) = (padded(shape.embedding), padded(shape.hidden))
    let layers = shape.lstm.map { LSTMLayer.bytes(shape: $0, timesteps: timesteps, lanes: lanes) }
    let output = OutputLayer.bytes(inputs: shape.hidden, vocabulary: shape.vocabulary, rowCount: rowCount)
    let scratch = WeightGradient.scratchBytes(rowCount: rowCount, maximumDepth: shape.lstm.map(\.rows).max()!)
    let between = rowCount * (Dp + max(Dp, Hp) + (dropout ? shape.layers * Hp : 0)) * float
    return (
      shape.parameterCount * float, subtrees * shape.parameterCount * float,
      layers.reduce(output.packed) { $0 + $1.packed },
      layers.reduce(output.activations + between + scratch) { $0 + $1.activations }
    )
  }

  /// Copies the parameters into the order in which the products read them. Once an update.
  public func pack(_ parameters: UnsafePointer<Float>) {
    for (index, layer) in layers.enumerated() { layer.pack(parameters + shape.layerRange(index).lowerBound) }
    output.pack(parameters + shape.outputRange.lowerBound)
  }

  /// Forward over a window, tokens [T, B] row-major, to the logits. With `step` given, dropout is drawn for that
  /// training step; nil is evaluation, without dropout.
  public func forward(tokens: UnsafeBufferPointer<Int32>, parameters: UnsafePointer<Float>, step: Int?) {
    embedding.forward(tokens: tokens, table: parameters, x: embedded.pointer)
    if let step { drop(embedded.pointer, to: embedded.pointer, units: shape.embedding, layer: 0, step: step) }
    for (index, layer) in layers.enumerated() {
      layer.forward(x: input(ofLayer: index, dropped: step != nil))
      if let step, dropout != nil {
        drop(layer.hidden(1), to: dropped[index].buffer.pointer, units: shape.hidden, layer: index + 1, step: step)
      }
    }
    output.forward(y: input(ofLayer: shape.layers, dropped: step != nil))
  }

  /// The loss of each of the rank's shards, and the logits turned into their gradient.
  /// - Parameter scale: 1 / (targets of the global batch).
  public func loss(
    targets: UnsafeBufferPointer<Int32>, scale: Float, shardLosses: UnsafeMutableBufferPointer<Double>
  ) {
    output.loss(targets: targets, scale: scale, rows: rows, shardLosses: shardLosses)
  }

  /// Backward through everything after `loss`: the output layer, the LSTM layers from the top, the embedding. One
  /// gradient of the whole model for each subtree of the rank's shards, `subtreeStride` floats apart.
  ///
  /// `finished` is called with each part (an index of `shape.parts`) as soon as its gradient stands in memory, while
  /// the layers below are still to be computed.
  public func backward(
    tokens: UnsafeBufferPointer<Int32>, step: Int, gradient: UnsafeMutablePointer<Float>, subtreeStride: Int,
    finished: (_ part: Int) -> Void
  ) {
    output.weightGradient(
      y: input(ofLayer: shape.layers, dropped: true), using: product, gradient: gradient + shape.outputRange.lowerBound,
      subtreeStride: subtreeStride)
    finished(shape.layers + 1)
    output.inputGradient(downward.pointer)
    drop(downward.pointer, to: downward.pointer, units: shape.hidden, layer: shape.layers, step: step)
    for index in stride(from: shape.layers - 1, through: 0, by: -1) {
      let layer = layers[index]
      layer.backward(da: downward.pointer)
      layer.weightGradient(
        x: input(ofLayer: index, dropped: true), using: product,
        gradient: gradient + shape.layerRange(index).lowerBound, subtreeStride: subtreeStride)
      finished(index + 1)
      layer.inputGradient(downward.pointer)
      drop(downward.pointer, to: downward.pointer, units: layer.shape.inputs, layer: index, step: step)
    }
    embedding.backward(tokens: tokens, dx: downward.pointer, gradient: gradient, subtreeStride: subtreeStride)
    finished(0)
  }

  /// What layer `index` reads, [T, B, stride]; index L is the output layer.
  private func input(ofLayer index: Int, dropped useDropped: Bool) -> UnsafePointer<Float> {
    if index == 0 { return UnsafePointer(embedded.pointer) }
    if useDropped && dropout != nil { return UnsafePointer(dropped[index - 1].buffer.pointer) }
    return UnsafePointer(layers[index - 1].hidden(1))
  }

  private func drop(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, units: Int, layer: Int, step: Int
  ) {
    dropout?.apply(
      from, to: to, timesteps: rows.timesteps, lanes: rows.lanes, stride: padded(units), units: units, step: step,
      layer: layer, firstLane: firstLane)
  }

  /// The state after the window becomes the state before the next one.
  public func carryState() { for layer in layers { layer.carryState() } }

  /// A lane, counted from the rank's first, begins the next window with a state of zero.
  public func clearState(lane: Int) { for layer in layers { layer.clearState(lane: lane) } }

  /// Floats of the state of one lane: hidden and cell of every layer, without padding.
  public var stateSize: Int { 2 * shape.layers * shape.hidden }

  /// Writes the states before the next window, lane after lane, [B, L, 2, H]: hidden, then cell.
  public func readState(into states: UnsafeMutablePointer<Float>) {
    forEachState { place, state in (states + place).update(from: state, count: shape.hidden) }
  }

  /// Sets the states before the next window from what `readState` wrote.
  public func writeState(from states: UnsafePointer<Float>) {
    forEachState { place, state in state.update(from: states + place, count: shape.hidden) }
  }

  private func forEachState(_ body: (Int, UnsafeMutablePointer<Float>) -> Void) {
    for lane in 0..<rows.lanes {
      for (index, layer) in layers.enumerated() {
        let place = lane * stateSize + index * 2 * shape.hidden
        body(place, layer.hidden(0) + lane * layer.hiddenStride)
        body(place + shape.hidden, layer.cell(0) + lane * layer.hiddenStride)
      }
    }
  }
}
