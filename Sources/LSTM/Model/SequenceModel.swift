import Kernels
import Plan

/// The part of a batch that one rank computes, and the memory in which a step of it runs: in one pass, or pass after
/// pass in the same memory, so that activations take that of the largest one. A step begins with pass 0, and each pass
/// is `select`, states, `forward`, `loss`, `backward`: `SequenceModel+Walk.swift`.
///
/// A window may be cut into segments, of which one at a time is in memory: `forward` keeps the states before each, and
/// then, from the last segment to the first, each is `recompute`, `loss`, `backward`. The bits are those of one piece.
///
/// Sequences may be shorter than T: what stands behind a lane's length changes no bit of the loss and of any gradient.
///
/// Memory in floats for T·B rows of a pass: L·T·B·(4Hp + 2Hp) for gates, hidden and cell states; T·B·(Dp + max(Dp, Hp))
/// for the inputs and the gradient that travels down; T·B·Kp for the logits, or B·(Hp + Kp) with a pooled head; with
/// dropout T·B·Hp more for each layer whose output is dropped at every timestep. With T = 128, B = 32, H = D = 512,
/// L = 2, K = 65: 4096·(2·3072 + 1024 + 80) · 4 bytes = 119 MB.
/// Weights: packed twice (W and Wᵀ), beside the parameters and the rank's gradients (`ShardedRows.gradientCount`).
package final class SequenceModel {
  package let shape: ModelShape
  /// T of the window, cut into the timesteps that are in memory together.
  package let segments: [Range<Int>]

  // MARK: Parts

  /// Nil where the model reads numbers.
  let embedding: Embedding?
  /// Lowest first.
  let layers: [RecurrentLayer]
  /// The cells of the layers, lowest first; of bidirectional ones both, the reverse one second.
  package let cells: [LSTMLayer]
  let head: Head
  let dropout: Dropout?
  /// Nil where nothing is added to the loss.
  let penalized: PenalizedStates?
  /// Nil where all cells read forward.
  let bidirectionalRows: BidirectionalRows?

  // MARK: What is computed

  /// Which rows belong to which shard, in each pass over a whole segment, and then in each over a shorter last one.
  private let passes: [ShardedRows]
  private let passCount: Int
  var pass = 0
  /// The rows of the selected pass and segment.
  package private(set) var rows: ShardedRows
  /// Index of the segment that is in memory.
  private(set) var segment = 0
  /// Whether the latest forward pass was that of a training step.
  var dropsOut = false
  /// Sees what is computed; nil but in a search, so that it costs a comparison for each layer and each row of logits.
  var observe: Observer?

  // MARK: Memory

  /// What the lowest layer reads, [T, B, Dp].
  let inputs: FloatBuffer
  /// With dropout, what layer l ≥ 1 and a head of every timestep read; without it they read the states below directly.
  let dropped: [Activations]
  /// The gradient on its way down: of the states of a layer, then of its inputs.
  let downward: FloatBuffer
  let product: WeightGradient
  /// Hidden and cell states before each segment, [segments, L, 2, B, Hp].
  let borders: FloatBuffer
  /// What the shards' gradients are before the first segment has been passed, [shards, numbers of a gradient].
  let chains: FloatBuffer

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
    let rowCount = timesteps * lanes
    segments = SequenceModel.segments(of: window ?? timesteps, each: timesteps)
    let isSegmented = segments.count > 1
    precondition(!isSegmented || shape.directions == 1, "the way back begins at the ends of sequences")
    precondition(
      penalty.isZero || (!shape.head.isPooled && shape.directions == 1),
      "a penalty is for a head at every timestep and one direction")
    passCount = whole.count
    let rest = segments.last!.count
    let passes = whole + (rest < timesteps ? whole.map { ShardedRows($0, timesteps: rest) } : [])
    self.passes = passes
    rows = passes[0]

    self.dropout = dropout
    let dropsWeights = (dropout?.weightRate ?? 0) > 0
    cells = shape.lstm.map {
      LSTMLayer(
        shape: $0, timesteps: timesteps, lanes: lanes, isSegmented: isSegmented, dropsWeights: dropsWeights,
        weights: weights)
    }
    let bidirectionalRows =
      shape.directions == 1 ? nil : BidirectionalRows(shape, timesteps: timesteps, lanes: lanes)
    self.bidirectionalRows = bidirectionalRows
    layers = RecurrentLayer.stack(shape, cells: cells, bidirectionalRows, rowCount: rowCount)
    embedding = shape.vocabulary.map { Embedding(vocabulary: $0, size: shape.inputs, passes: passes) }
    product = WeightGradient(passes: passes, maximumDepth: shape.largestDepth)
    head = Head(
      shape, above: layers[shape.layers - 1], passes: passes, timesteps: segments.last!.upperBound, product: product,
      weights: weights)
    penalized =
      penalty.isZero
      ? nil : PenalizedStates(penalty, timesteps: timesteps, lanes: lanes, units: shape.hidden)

    inputs = FloatBuffer(count: rowCount * padded(shape.inputs))
    downward = FloatBuffer(count: rowCount * max(padded(shape.inputs), padded(shape.outputs)))
    let droppedAtEveryStep = (dropout?.rate ?? 0) > 0 ? shape.layersDroppedAtEveryStep : 0
    dropped = (0..<droppedAtEveryStep).map { _ in Activations(count: rowCount * padded(shape.outputs)) }
    borders = FloatBuffer(
      count: isSegmented ? SequenceModel.borderFloats(shape, segments: segments.count, lanes: lanes) : 0)
    let shards = whole.map(\.shardLanes.count).max()!
    chains = FloatBuffer(count: isSegmented ? shards * shape.gradientCount : 0)
    select(pass: 0)
  }

  // MARK: Passes and segments

  /// What follows is about a pass: its lanes, and its sums. The states before its window are to be written.
  package func select(pass: Int) {
    self.pass = pass
    use(segment: 0)
  }

  func use(segment: Int) {
    self.segment = segment
    let index = segments[segment].count < segments[0].count ? passCount + pass : pass
    rows = passes[index]
    for cell in cells { cell.use(timesteps: rows.timesteps, lanes: rows.lanes) }
    embedding?.use(rows)
    product.use(pass: index)
    head.use(pass: index, lanes: rows.lanes)
  }

  var isLastSegment: Bool { segment == segments.count - 1 }

  /// Whether the head has outputs in the segment that is in memory: a pooled one has them in the last alone.
  package var hasOutputs: Bool { !shape.head.isPooled || isLastSegment }

  /// The piece of a gradient's chains that the segment is, for the part that begins at `start`; nil for the whole.
  func piece(from start: Int) -> ChainPiece? {
    if segments.count == 1 { return nil }
    return ChainPiece(
      sums: chains.pointer + start, shardStride: shape.gradientCount, begins: isLastSegment, ends: segment == 0)
  }

  // MARK: Weights

  /// Copies the parameters into the order in which the products read them, or one share of them where ranks share the
  /// packed weights. Once an update.
  package func pack(_ parameters: UnsafePointer<Float>, share: Share = .whole) {
    for (index, cell) in cells.enumerated() {
      cell.pack(parameters + shape.layerRange(index).lowerBound, share: share)
    }
    head.pack(parameters + shape.outputRange.lowerBound, share: share)
    finishStreams()
  }

  /// Where recurrent weights are dropped, so that every step has its own: copies them again, those that the step keeps,
  /// or all of them for an evaluation (nil). Otherwise nothing.
  package func packRecurrent(_ parameters: UnsafePointer<Float>, step: Int?, share: Share = .whole) {
    guard let dropout, dropsWeights else { return }
    for (index, cell) in cells.enumerated() {
      cell.packRecurrent(
        parameters + shape.layerRange(index).lowerBound, share: share, dropout: dropout, step: step, layer: index)
    }
    finishStreams()
  }

  /// Whether `packRecurrent` does anything.
  package var dropsWeights: Bool { (dropout?.weightRate ?? 0) > 0 }
}

extension RecurrentLayer {
  /// The layers of a model, lowest first, of its cells.
  fileprivate static func stack(
    _ shape: ModelShape, cells: [LSTMLayer], _ rows: BidirectionalRows?, rowCount: Int
  ) -> [RecurrentLayer] {
    (0..<shape.layers).map { index in
      guard let rows else { return .oneDirection(cells[index]) }
      let isRead = index < shape.layersReadAtEveryStep
      return .bothDirections(
        BidirectionalLayer(
          cell: cells[2 * index], reverseCell: cells[2 * index + 1], rows: rows,
          outputFloats: isRead ? rowCount * padded(shape.outputs) : 0))
    }
  }
}
