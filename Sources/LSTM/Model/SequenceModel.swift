import Kernels
import Plan

/// The part of a batch that one rank computes, and the memory in which a step of it runs: in one pass, or pass after
/// pass in the same memory, so that activations take that of the largest one. A step begins with pass 0, and each pass
/// is `select`, states, `forward`, `loss`, `backward`.
///
/// A window may be cut into segments, of which one at a time is in memory: `forward` keeps the states before each, and
/// then, from the last segment to the first, each is `recompute`, `loss`, `backward`. The bits are those of one piece.
///
/// Sequences may be shorter than T: what stands behind a lane's length changes no bit of the loss and of any gradient.
///
/// Memory in floats for T·B rows of a pass: L·T·B·(4Hp + 2Hp) for gates, hidden and cell states; T·B·(Dp + max(Dp, Hp))
/// for the inputs and the gradient that travels down; T·B·Kp for the logits, or B·(Hp + Kp) with a pooled head;
/// with dropout T·B·Hp more for each layer whose output is dropped at every timestep. With T = 128, B = 32,
/// H = D = 512, L = 2, K = 65: 4096·(2·3072 + 1024 + 80) · 4 bytes = 119 MB.
/// Weights: packed twice (W and Wᵀ), beside the parameters and the rank's gradients (`ShardedRows.gradientCount`).
package final class SequenceModel {
  /// Sizes of the model.
  package let shape: ModelShape
  /// T of the window, cut into the timesteps that are in memory together.
  package let segments: [Range<Int>]
  /// Which rows belong to which shard, in each pass over a whole segment, and then in each over a shorter last one.
  private let passes: [ShardedRows]
  private let passCount: Int
  /// The rows of the selected pass and segment.
  package private(set) var rows: ShardedRows
  /// The LSTM layers, lowest first; of bidirectional ones the two cells of each.
  package let layers: [LSTMLayer]
  /// Nil where all cells read forward.
  let directions: BothDirections?

  /// Nil where the model reads numbers.
  let embedding: Embedding?
  /// What the lowest layer reads, [T, B, Dp].
  let inputs: FloatBuffer
  let dropout: Dropout?
  /// Nil where nothing is added to the loss.
  let penalized: PenalizedStates?
  /// With dropout, what layer l ≥ 1 and an output layer of every timestep read; without it they read the states below
  /// directly.
  let dropped: [Activations]
  /// Nil where the head has outputs at every timestep.
  let pooled: PooledStates?
  /// Wy and the loss, over the rows of `outputRows`.
  let output: OutputLayer
  private(set) var outputRows: ShardedRows
  private let outputPasses: [ShardedRows]
  var pass = 0
  /// Of `passes`.
  var passIndex = 0
  /// Index of the segment that is in memory.
  private(set) var segment = 0
  /// Hidden and cell states before each segment, [segments, L, 2, B, Hp].
  let borders: FloatBuffer
  /// What the shards' gradients are before the first segment has been passed, [shards, numbers of a gradient].
  let chains: FloatBuffer
  /// Whether the latest forward pass was that of a training step.
  private var dropsOut = false
  let outputProduct: WeightGradient
  /// The gradient on its way down: of the states of a layer, then of its inputs.
  let downward: FloatBuffer
  let product: WeightGradient

  final class Activations {
    let buffer: FloatBuffer
    init(count: Int) { buffer = FloatBuffer(count: count) }
  }

  /// The memory for steps over `passes`, of one and the same number of timesteps; pass 0 is selected. `pack` must come
  /// before the first `forward`. Ranks that share `weights`, an arena of `packedFloats(shape)`, share the packed
  /// weights.
  /// - Parameter timesteps: T of the window, which is cut into segments of as many timesteps as the passes have; nil
  ///   for one segment.
  /// - Precondition: there is a pass, and a timestep.
  package init(
    shape: ModelShape, passes whole: [ShardedRows], timesteps window: Int? = nil, dropout: Dropout? = nil,
    penalty: ActivationPenalty = ActivationPenalty(), weights: FloatArena? = nil
  ) {
    self.shape = shape
    let (timesteps, lanes) = (whole[0].timesteps, whole.map(\.lanes).max()!)
    segments = SequenceModel.segments(of: window ?? timesteps, each: timesteps)
    let isSegmented = segments.count > 1
    let rest = segments.last!.count
    passCount = whole.count
    let passes = whole + (rest < timesteps ? whole.map { ShardedRows($0, timesteps: rest) } : [])
    self.passes = passes
    rows = passes[0]
    self.dropout = dropout
    let rowCount = timesteps * lanes
    let dropsWeights = (dropout?.weightRate ?? 0) > 0
    layers = shape.lstm.map {
      LSTMLayer(
        shape: $0, timesteps: timesteps, lanes: lanes, isSegmented: isSegmented, dropsWeights: dropsWeights,
        weights: weights)
    }
    precondition(!isSegmented || shape.directions == 1, "the way back begins at the ends of sequences")
    directions =
      shape.directions == 1 ? nil : BothDirections(shape, timesteps: timesteps, lanes: lanes)
    let shards = whole.map(\.shardLanes.count).max()!
    borders = FloatBuffer(
      count: isSegmented ? SequenceModel.borderFloats(shape, segments: segments.count, lanes: lanes) : 0)
    chains = FloatBuffer(count: isSegmented ? shards * shape.gradientCount : 0)
    embedding = shape.vocabulary.map { Embedding(vocabulary: $0, size: shape.inputs, passes: passes) }
    inputs = FloatBuffer(count: rowCount * padded(shape.inputs))
    downward = FloatBuffer(count: rowCount * max(padded(shape.inputs), padded(shape.outputs)))
    product = WeightGradient(passes: passes, maximumDepth: shape.largestDepth)
    switch shape.head {
    case .everyStep, .everyStepUnits:
      pooled = nil
      outputPasses = passes
      outputProduct =
        shape.isTied ? WeightGradient(passes: passes, maximumDepth: OutputLayer.classesAtOnce) : product
    case .pooled, .pooledNumbers:
      pooled = PooledStates(
        shape.pooling, timesteps: segments.last!.upperBound, lanes: lanes, units: shape.outputs)
      outputPasses = passes.map { ShardedRows($0, timesteps: 1) }
      outputProduct = WeightGradient(passes: outputPasses, maximumDepth: shape.outputs + 1)
    }
    outputRows = outputPasses[0]
    output = OutputLayer(
      inputs: shape.outputs, classes: shape.classes, adaptive: shape.adaptive, isTied: shape.isTied,
      isOfUnits: shape.head == .everyStepUnits(shape.classes), passes: outputPasses, padding: shape.head.padding,
      weights: weights)
    precondition(
      penalty.isZero || (!shape.head.isPooled && shape.directions == 1),
      "a penalty is for a head at every timestep and one direction")
    penalized =
      penalty.isZero
      ? nil : PenalizedStates(penalty, timesteps: timesteps, lanes: lanes, units: shape.hidden)
    let droppedAtEveryStep = (dropout?.rate ?? 0) > 0 ? shape.layersDroppedAtEveryStep : 0
    dropped = (0..<droppedAtEveryStep).map { _ in Activations(count: rowCount * padded(shape.outputs)) }
    select(pass: 0)
  }

  /// What follows is about a pass: its lanes, and its sums. The states before its window are to be written.
  package func select(pass: Int) {
    self.pass = pass
    use(segment: 0)
  }

  private func use(segment: Int) {
    self.segment = segment
    let index = segments[segment].count < segments[0].count ? passCount + pass : pass
    passIndex = index
    (rows, outputRows) = (passes[index], outputPasses[index])
    for layer in layers { layer.use(timesteps: rows.timesteps, lanes: rows.lanes) }
    embedding?.use(rows)
    product.use(pass: index)
    pooled?.use(lanes: rows.lanes)
    outputProduct.use(pass: index)
    output.use(rowCount: outputRows.order.count)
  }

  var isLastSegment: Bool { segment == segments.count - 1 }

  /// Whether the head has outputs in the segment that is in memory: a pooled one has them in the last alone.
  package var hasOutputs: Bool { pooled == nil || isLastSegment }

  /// Copies the parameters into the order in which the products read them, or one share of them where ranks share the
  /// packed weights. Once an update.
  package func pack(_ parameters: UnsafePointer<Float>, share: Share = .whole) {
    for (index, layer) in layers.enumerated() {
      layer.pack(parameters + shape.layerRange(index).lowerBound, share: share)
    }
    output.pack(parameters + shape.outputRange.lowerBound, share: share)
    finishStreams()
  }

  /// Where recurrent weights are dropped, so that every step has its own: copies them again, those that the step keeps,
  /// or all of them for an evaluation (nil). Otherwise nothing.
  package func packRecurrent(_ parameters: UnsafePointer<Float>, step: Int?, share: Share = .whole) {
    guard let dropout, dropsWeights else { return }
    for (index, layer) in layers.enumerated() {
      layer.packRecurrent(
        parameters + shape.layerRange(index).lowerBound, share: share, dropout: dropout, step: step, layer: index)
    }
    finishStreams()
  }

  /// Whether `packRecurrent` does anything.
  package var dropsWeights: Bool { (dropout?.weightRate ?? 0) > 0 }

  /// Forward over a window to the logits. With `step` given, dropout is drawn for that training step; nil is
  /// evaluation, without dropout. `between` is called every few milliseconds, and may abandon the pass by an error.
  /// - Parameter lengths: timesteps of each lane's sequence, [B], 0 for no sequence; nil for T in every lane.
  package func forward(
    _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>? = nil, parameters: UnsafePointer<Float>, step: Int?,
    between: () throws -> Void
  ) rethrows {
    try forEachSegment { segment in
      try forwardLayers(input, lengths: lengths, parameters: parameters, step: step, between: between)
      pool(segment, lengths: lengths)
    }
    if let pooled, let step { dropPooled(pooled, step: step) }
    try output.forward(y: outputInput(dropped: step != nil), between: between)
  }

  /// Calls `body` from the first segment to the last, each of which begins with the states behind the one before. They
  /// are kept for `recompute`.
  func forEachSegment(_ body: (Range<Int>) throws -> Void) rethrows {
    for index in segments.indices {
      if index > 0 {
        carryState()
        use(segment: index)
      }
      keepStates()
      try body(segments[index])
    }
  }

  private func forwardLayers(
    _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>?, parameters: UnsafePointer<Float>, step: Int?,
    between: () throws -> Void
  ) rethrows {
    dropsOut = step != nil
    read(input, lengths: lengths, parameters: parameters, step: step)
    directions?.use(rows, lengths: lengths)
    for index in 0..<shape.layers {
      let x = self.input(ofLayer: index, dropped: step != nil)
      try forwardLayer(index, x: x, between: between)
      if let step { dropOutput(ofLayer: index, step: step) }
    }
  }

  /// One layer, or both cells of a bidirectional one, over what it reads.
  func forwardLayer(_ index: Int, x: UnsafePointer<Float>, between: () throws -> Void) rethrows {
    if let directions {
      try directions.forward(index, cells(ofLayer: index), x: x, between: between)
    } else {
      try layers[index].forward(x: x, between: between)
    }
  }

  /// The two cells of a bidirectional layer.
  func cells(ofLayer index: Int) -> (forward: LSTMLayer, reverse: LSTMLayer) {
    (layers[2 * index], layers[2 * index + 1])
  }

  /// What a layer says at every timestep, [T, B, outputs].
  func layerOutput(_ index: Int) -> UnsafeMutablePointer<Float> {
    directions?.output(ofLayer: index) ?? layers[index].hidden(1)
  }

  /// What a pooled head reads of a segment.
  func pool(_ segment: Range<Int>, lengths: UnsafeBufferPointer<Int32>?) {
    guard let pooled else { return }
    if let directions, shape.readsEnds {
      directions.takeEnds(cells(ofLayer: shape.layers - 1), to: pooled.rows)
    } else {
      pooled.take(layerOutput(shape.layers - 1), of: segment, lengths: lengths)
    }
  }

  /// Makes a segment the one that is in memory: computes it again from the states before it, unless it still is.
  /// Arguments as for `forward`, which must have come before.
  package func recompute(
    segment index: Int, _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>? = nil,
    parameters: UnsafePointer<Float>, step: Int?, between: () throws -> Void
  ) rethrows {
    guard index != segment else { return }
    use(segment: index)
    restoreStates()
    try forwardLayers(input, lengths: lengths, parameters: parameters, step: step, between: between)
    if pooled == nil { try output.forward(y: outputInput(dropped: step != nil), between: between) }
  }

  /// What the lowest layer reads. Embedded tokens are dropped as Zaremba et al. do; numbers are not, for they are the
  /// data itself, not features that the model could learn twice. Rows behind a lane's end are zero, whatever stands
  /// there.
  func read(
    _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>?, parameters: UnsafePointer<Float>, step: Int?
  ) {
    let segment = segments[segment]
    switch input.timesteps(segment, of: segments.last!.upperBound) {
    case .tokens(let tokens):
      precondition(tokens.count == rows.order.count, "tokens of another window")
      guard let embedding else { preconditionFailure("the model reads numbers") }
      embedding.forward(
        tokens: tokens, table: parameters + shape.embeddingRange!.lowerBound, x: inputs.pointer)
      if let step {
        dropTokens(tokens, of: inputs.pointer, step: step)
        drop(inputs.pointer, to: inputs.pointer, units: shape.inputs, layer: 0, step: step)
      }
    case .numbers(let numbers):
      let (D, stride) = (shape.inputs, padded(shape.inputs))
      precondition(embedding == nil, "the model reads tokens")
      precondition(numbers.count == rows.order.count * D, "numbers of another window")
      for row in 0..<rows.order.count {
        let (t, lane) = row.quotientAndRemainder(dividingBy: rows.lanes)
        let x = inputs.pointer + row * stride
        if let lengths, segment.lowerBound + t >= Int(lengths[lane]) {
          x.update(repeating: 0, count: D)
        } else {
          x.update(from: numbers.baseAddress! + row * D, count: D)
        }
      }
    }
  }

  /// The loss of each shard of the pass, and the logits turned into their gradient. From segment to segment losses add
  /// up in `shardLosses`.
  /// - Parameters:
  ///   - targets: of the head's kind.
  ///   - scale: 1 / (targets of the global batch).
  package func loss(
    targets: SequenceTargets, scale: Float, shardLosses: UnsafeMutableBufferPointer<Double>,
    between: () throws -> Void
  ) rethrows {
    guard hasOutputs else { return }
    let own = spokenOf(targets)
    notePenalizedRows(own, scale: scale)
    try output.loss(
      y: outputInput(dropped: dropsOut), targets: own, scale: scale, rows: outputRows,
      continuing: !isLastSegment, shardLosses: shardLosses, between: between)
  }

  /// The loss of each shard of the pass without a gradient; the logits are used up.
  package func evaluationLoss(
    targets: SequenceTargets, shardLosses: UnsafeMutableBufferPointer<Double>, between: () throws -> Void
  ) rethrows {
    guard hasOutputs else { return }
    try output.evaluationLoss(
      y: outputInput(dropped: dropsOut), targets: spokenOf(targets), rows: outputRows, continuing: !isLastSegment,
      shardLosses: shardLosses, between: between)
  }

  /// The targets of the segment.
  func spokenOf(_ targets: SequenceTargets) -> SequenceTargets {
    let targets =
      pooled == nil ? targets.timesteps(segments[segment], of: segments.last!.upperBound) : targets
    let fits =
      switch (targets, shape.head) {
      case (.classes(let classes), .everyStep), (.classes(let classes), .pooled):
        classes.count == outputRows.order.count
      case (.numbers(let numbers), .pooledNumbers(let count)), (.numbers(let numbers), .everyStepUnits(let count)):
        numbers.count == outputRows.order.count * count
      default: false
      }
    precondition(fits, "targets of another window or head")
    return targets
  }

  /// Logits after `forward` or `recompute`, before the softmax, of a lane counted from the pass's first; of an adaptive
  /// softmax the logarithms of all probabilities, valid until the next call. With a head at every timestep those at `t`
  /// of the segment; with a pooled one `t` must be nil.
  package func logits(lane: Int, t: Int? = nil) -> UnsafeBufferPointer<Float> {
    precondition((t == nil) == (pooled != nil), "a timestep for a head at every timestep, and for no other")
    let row = (t ?? 0) * rows.lanes + lane
    let logits = UnsafeBufferPointer(output.logits(row: row))
    guard let tails = output.tails else { return logits }
    let y = outputInput(dropped: dropsOut) + row * padded(shape.outputs)
    return tails.logProbabilities(y: y, head: logits.baseAddress!)
  }

  /// What layer `index` reads, [T, B, stride]; index L is an output layer of every timestep.
  func input(ofLayer index: Int, dropped useDropped: Bool) -> UnsafePointer<Float> {
    if index == 0 { return UnsafePointer(inputs.pointer) }
    if useDropped && !dropped.isEmpty { return UnsafePointer(dropped[index - 1].buffer.pointer) }
    return UnsafePointer(layerOutput(index - 1))
  }

  /// What the output layer reads, a row for each of `outputRows`.
  func outputInput(dropped useDropped: Bool) -> UnsafePointer<Float> {
    if let pooled { return UnsafePointer(pooled.rows) }
    return input(ofLayer: shape.layers, dropped: useDropped)
  }
}
