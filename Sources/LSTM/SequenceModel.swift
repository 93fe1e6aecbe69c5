import Kernels

/// The part of a batch that one rank computes, and the memory in which a step of it runs: in one pass, or pass after
/// pass in the same memory, so that activations take that of the largest one. A step begins with pass 0, and each pass
/// is `select`, states, `forward`, `loss`, `backward`.
///
/// Sequences may be shorter than T: what stands behind a lane's length changes no bit of the loss and of any gradient.
///
/// Memory in floats for T·B rows of a pass: L·T·B·(4Hp + 2Hp) for gates, hidden and cell states; T·B·(Dp + max(Dp, Hp))
/// for the inputs and the gradient that travels down; T·B·Kp for the logits, or B·(Hp + Kp) with a head at the last
/// timestep; with dropout T·B·Hp more for each layer whose output is read at every timestep. With T = 128, B = 32,
/// H = D = 512, L = 2, K = 65: 4096·(2·3072 + 1024 + 80) · 4 bytes = 119 MB.
/// Weights: packed twice (W and Wᵀ), beside the parameters and the rank's gradients (`ShardedRows.gradientCount`).
public final class SequenceModel {
  /// Sizes of the model.
  public let shape: ModelShape
  /// Which rows belong to which shard, in each pass.
  public let passes: [ShardedRows]
  /// The rows of the selected pass.
  public private(set) var rows: ShardedRows
  /// The LSTM layers, lowest first.
  public let layers: [LSTMLayer]

  /// Nil where the model reads numbers.
  let embedding: Embedding?
  /// What the lowest layer reads, [T, B, Dp].
  let inputs: FloatBuffer
  private let dropout: Dropout?
  /// With dropout, what layer l ≥ 1 and an output layer of every timestep read; without it they read the states below
  /// directly.
  let dropped: [Activations]
  /// Nil where the head speaks at every timestep.
  let lastSteps: LastSteps?
  /// Wy and the loss, over the rows of `outputRows`.
  let output: OutputLayer
  private(set) var outputRows: ShardedRows
  private let outputPasses: [ShardedRows]
  private var pass = 0
  private let outputProduct: WeightGradient
  /// The gradient on its way down: of the states of a layer, then of its inputs.
  let downward: FloatBuffer
  private let product: WeightGradient

  final class Activations {
    let buffer: FloatBuffer
    init(count: Int) { buffer = FloatBuffer(count: count) }
  }

  /// The memory for steps over `passes`, of one and the same T; pass 0 is selected. `pack` must come before the first
  /// `forward`. Ranks that share `weights`, an arena of `packedFloats(shape)`, share the packed weights.
  /// - Precondition: there is a pass.
  public init(shape: ModelShape, passes: [ShardedRows], dropout: Dropout? = nil, weights: FloatArena? = nil) {
    self.shape = shape
    self.passes = passes
    rows = passes[0]
    self.dropout = dropout.flatMap { $0.rate > 0 ? $0 : nil }
    let (timesteps, lanes) = (passes[0].timesteps, passes.map(\.lanes).max()!)
    let rowCount = timesteps * lanes
    layers = shape.lstm.map { LSTMLayer(shape: $0, timesteps: timesteps, lanes: lanes, weights: weights) }
    embedding = shape.vocabulary.map { Embedding(vocabulary: $0, size: shape.inputs, passes: passes) }
    inputs = FloatBuffer(count: rowCount * padded(shape.inputs))
    downward = FloatBuffer(count: rowCount * max(padded(shape.inputs), padded(shape.hidden)))
    product = WeightGradient(passes: passes, maximumDepth: shape.lstm.map(\.rows).max()!)
    switch shape.head {
    case .everyStep:
      lastSteps = nil
      outputPasses = passes
      outputProduct = product
    case .lastStep, .lastStepNumbers:
      lastSteps = LastSteps(timesteps: timesteps, lanes: lanes, units: shape.hidden)
      outputPasses = passes.map(\.ofOneTimestep)
      outputProduct = WeightGradient(passes: outputPasses, maximumDepth: shape.hidden + 1)
    }
    outputRows = outputPasses[0]
    output = OutputLayer(
      inputs: shape.hidden, classes: shape.classes, rowCount: outputPasses.map(\.order.count).max()!,
      padding: shape.head.padding, weights: weights)
    let readAtEveryStep = self.dropout == nil ? 0 : shape.layersReadAtEveryStep
    dropped = (0..<readAtEveryStep).map { _ in Activations(count: rowCount * padded(shape.hidden)) }
    select(pass: 0)
  }

  /// What follows is about a pass: its lanes, and its sums. The states before its window are to be written.
  public func select(pass: Int) {
    self.pass = pass
    (rows, outputRows) = (passes[pass], outputPasses[pass])
    for layer in layers { layer.use(lanes: rows.lanes) }
    embedding?.use(rows)
    product.use(pass: pass)
    lastSteps?.use(lanes: rows.lanes)
    outputProduct.use(pass: pass)
    output.use(rowCount: outputRows.order.count)
  }

  /// Copies the parameters into the order in which the products read them, or one share of them where ranks share the
  /// packed weights. Once an update.
  public func pack(_ parameters: UnsafePointer<Float>, share: Share = .whole) {
    for (index, layer) in layers.enumerated() {
      layer.pack(parameters + shape.layerRange(index).lowerBound, share: share)
    }
    output.pack(parameters + shape.outputRange.lowerBound, share: share)
  }

  /// Forward over a window to the logits. With `step` given, dropout is drawn for that training step; nil is
  /// evaluation, without dropout.
  /// - Parameter lengths: timesteps of each lane's sequence, [B], 0 for no sequence; nil for T in every lane.
  public func forward(
    _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>? = nil, parameters: UnsafePointer<Float>, step: Int?
  ) {
    read(input, lengths: lengths, parameters: parameters, step: step)
    for (index, layer) in layers.enumerated() {
      layer.forward(x: self.input(ofLayer: index, dropped: step != nil))
      if let step, index < dropped.count {
        drop(layer.hidden(1), to: dropped[index].buffer.pointer, units: shape.hidden, layer: index + 1, step: step)
      }
    }
    if let lastSteps {
      lastSteps.take(layers[shape.layers - 1].hidden(1), lengths: lengths)
      if let step { dropLastSteps(lastSteps, step: step) }
    }
    output.forward(y: outputInput(dropped: step != nil))
  }

  /// What the lowest layer reads. Embedded tokens are dropped as Zaremba et al. do; numbers are not, for they are the
  /// data itself, not features that the model could learn twice. Rows behind a lane's end are zero, whatever stands
  /// there.
  func read(
    _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>?, parameters: UnsafePointer<Float>, step: Int?
  ) {
    switch input {
    case .tokens(let tokens):
      precondition(tokens.count == rows.order.count, "tokens of another window")
      guard let embedding else { preconditionFailure("the model reads numbers") }
      embedding.forward(tokens: tokens, table: parameters, x: inputs.pointer)
      if let step { drop(inputs.pointer, to: inputs.pointer, units: shape.inputs, layer: 0, step: step) }
    case .numbers(let numbers):
      let (D, stride) = (shape.inputs, padded(shape.inputs))
      precondition(embedding == nil, "the model reads tokens")
      precondition(numbers.count == rows.order.count * D, "numbers of another window")
      for row in 0..<rows.order.count {
        let (t, lane) = row.quotientAndRemainder(dividingBy: rows.lanes)
        let x = inputs.pointer + row * stride
        if let lengths, t >= Int(lengths[lane]) {
          x.update(repeating: 0, count: D)
        } else {
          x.update(from: numbers.baseAddress! + row * D, count: D)
        }
      }
    }
  }

  /// The loss of each shard of the pass, and the logits turned into their gradient.
  /// - Parameters:
  ///   - targets: of the head's kind.
  ///   - scale: 1 / (targets of the global batch).
  public func loss(
    targets: SequenceTargets, scale: Float, shardLosses: UnsafeMutableBufferPointer<Double>
  ) {
    checkTargets(targets)
    output.loss(targets: targets, scale: scale, rows: outputRows, shardLosses: shardLosses)
  }

  /// The loss of each shard of the pass without a gradient; the logits are used up.
  public func evaluationLoss(
    targets: SequenceTargets, shardLosses: UnsafeMutableBufferPointer<Double>
  ) {
    checkTargets(targets)
    output.evaluationLoss(targets: targets, rows: outputRows, shardLosses: shardLosses)
  }

  private func checkTargets(_ targets: SequenceTargets) {
    let fits =
      switch (targets, shape.head) {
      case (.classes(let classes), .everyStep), (.classes(let classes), .lastStep):
        classes.count == outputRows.order.count
      case (.numbers(let numbers), .lastStepNumbers(let count)): numbers.count == outputRows.order.count * count
      default: false
      }
    precondition(fits, "targets of another window or head")
  }

  /// Logits after `forward`, before the softmax, of a lane counted from the pass's first. With a head at every timestep
  /// those at `t`; with one at the last timestep `t` must be nil.
  public func logits(lane: Int, t: Int? = nil) -> UnsafeBufferPointer<Float> {
    precondition((t == nil) == (lastSteps != nil), "a timestep for a head at every timestep, and for no other")
    return UnsafeBufferPointer(output.logits(row: (t ?? 0) * rows.lanes + lane))
  }

  /// Backward through everything after `loss`: the output layer, the LSTM layers from the top, the embedding. The
  /// rank's gradients of the whole model are `subtreeStride` floats apart; after the last pass those of the subtrees of
  /// its shards come first.
  ///
  /// `finished` is called with each part (an index of `shape.parts`) as soon as the pass has added to its gradient,
  /// while the layers below are still to be computed; `between` every few milliseconds, between timesteps and between
  /// blocks of the products. Of the embedding's gradient only the rows of `tokensSeen` are written: it must be +0.0
  /// before the first pass, as `clearEmbeddingGradient` leaves it.
  public func backward(
    _ input: SequenceInput, step: Int, gradient: UnsafeMutablePointer<Float>, subtreeStride: Int,
    between: () -> Void = {}, finished: (_ part: Int) -> Void
  ) {
    if pass == 0 { embedding?.forgetSeen() }
    output.weightGradient(
      y: outputInput(dropped: true), using: outputProduct, gradient: gradient + shape.outputRange.lowerBound,
      subtreeStride: subtreeStride)
    finished(shape.parts.count - 1)
    if let lastSteps {
      output.inputGradient(lastSteps.rows, between: between)
      dropLastSteps(lastSteps, step: step)
      lastSteps.put(downward.pointer)
    } else {
      output.inputGradient(downward.pointer, between: between)
      drop(downward.pointer, to: downward.pointer, units: shape.hidden, layer: shape.layers, step: step)
    }
    for index in stride(from: shape.layers - 1, through: 0, by: -1) {
      let layer = layers[index]
      layer.backward(da: downward.pointer, between: between)
      layer.weightGradient(
        x: self.input(ofLayer: index, dropped: true), using: product,
        gradient: gradient + shape.layerRange(index).lowerBound, subtreeStride: subtreeStride, between: between)
      finished(shape.part(ofLayer: index))
      // Numbers that were read have no gradient.
      if index == 0 && embedding == nil { return }
      layer.inputGradient(downward.pointer, between: between)
      drop(downward.pointer, to: downward.pointer, units: layer.shape.inputs, layer: index, step: step)
    }
    guard let embedding, case .tokens(let tokens) = input else { preconditionFailure("the model reads tokens") }
    embedding.backward(tokens: tokens, dx: downward.pointer, gradient: gradient, subtreeStride: subtreeStride)
    finished(0)
  }

  /// The tokens of the step's backward passes, ascending, each once; empty where the model reads numbers.
  public var tokensSeen: [Int32] { embedding?.seen ?? [] }

  /// Sets the rows of the embedding's gradients that the step's backward passes wrote to +0.0.
  public func clearEmbeddingGradient(_ gradient: UnsafeMutablePointer<Float>, subtreeStride: Int) {
    embedding?.clear(gradient: gradient, subtreeStride: subtreeStride)
  }

  /// What layer `index` reads, [T, B, stride]; index L is an output layer of every timestep.
  func input(ofLayer index: Int, dropped useDropped: Bool) -> UnsafePointer<Float> {
    if index == 0 { return UnsafePointer(inputs.pointer) }
    if useDropped && dropout != nil { return UnsafePointer(dropped[index - 1].buffer.pointer) }
    return UnsafePointer(layers[index - 1].hidden(1))
  }

  /// What the output layer reads, a row for each of `outputRows`.
  func outputInput(dropped useDropped: Bool) -> UnsafePointer<Float> {
    if let lastSteps { return UnsafePointer(lastSteps.rows) }
    return input(ofLayer: shape.layers, dropped: useDropped)
  }

  func drop(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, units: Int, layer: Int, step: Int
  ) {
    dropout?.apply(
      from, to: to, timesteps: rows.timesteps, lanes: rows.lanes, stride: padded(units), units: units, step: step,
      layer: layer, firstLane: rows.firstLane)
  }

  /// The one row a lane that a head at the last timestep reads is drawn as that of t = 0, however long the sequence.
  func dropLastSteps(_ lastSteps: LastSteps, step: Int) {
    dropout?.apply(
      lastSteps.rows, to: lastSteps.rows, timesteps: 1, lanes: rows.lanes, stride: padded(shape.hidden),
      units: shape.hidden, step: step, layer: shape.layers, firstLane: rows.firstLane)
  }
}
