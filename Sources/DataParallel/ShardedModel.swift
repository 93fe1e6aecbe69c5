import Kernels
import LSTM
import MPI
import Sequences
import Timing

/// A model on all ranks: the same parameters everywhere, and on each rank the lanes of its shards.
public final class ShardedModel {
  /// Who computes what.
  public let plan: ShardPlan
  /// The rank's lanes of the global batch.
  public let lanes: Range<Int>

  let model: SequenceModel
  let world: World
  /// The parameters, and behind them the packed weights of ranks that share them.
  private let window: NodeWindow
  private let batch: SequenceBatch

  /// Allocates the memory of a forward and backward pass. The parameters are zero. Collective over ranks that share.
  public init(
    world: World, shape: ModelShape, timesteps: Int, plan: ShardPlan, dropout: Dropout?, sharing: NodeSharing = .none
  ) throws {
    self.world = world
    self.plan = plan
    let rank = world.communicator.rank
    let shards = plan.shards(ofRank: rank)
    lanes = plan.lanes(ofRank: rank)
    let first = lanes.lowerBound
    let rows = ShardedRows(
      timesteps: timesteps,
      shardLanes: shards.map {
        let lanes = plan.lanes(ofShard: $0)
        return lanes.lowerBound - first..<lanes.upperBound - first
      }, shards: shards, shardCount: plan.shards)
    // One copy for all that share, in the segment of the first of them.
    let (parameters, packed) = (FloatArena.taken(by: shape.parameterCount), SequenceModel.packedFloats(shape))
    let holdsCopy = sharing.node.map { $0.rank == 0 } ?? true
    window = try NodeWindow(
      byteCount: holdsCopy ? (parameters + packed) * MemoryLayout<Float>.stride : 0, node: sharing.node)
    let memory = window.segment(ofRank: 0).assumingMemoryBound(to: Float.self)
    model = SequenceModel(
      shape: shape, rows: rows, firstLane: first, dropout: dropout,
      weights: FloatArena(
        memory: UnsafeMutableBufferPointer(start: memory + parameters, count: packed), owner: window))
    batch = SequenceBatch.allocate(
      timesteps: timesteps, lanes: lanes.count, inputs: shape.vocabulary == nil ? .numbers(shape.inputs) : .tokens,
      targets: shape.batchTargets)
  }

  deinit { batch.deallocate() }

  /// The flat parameters, the same on every rank. After writing to them call `parametersChanged`.
  public var parameters: UnsafeMutablePointer<Float> {
    window.segment(ofRank: 0).assumingMemoryBound(to: Float.self)
  }

  /// Whether this rank is the one that writes whole parameters where several share them.
  public var writesParameters: Bool { window.share.index == 0 }

  /// The parameters have been written: the products read copies of them in another order. Ranks that share wait for each
  /// other, and each packs its share; the clock, if there is one, tells the two apart.
  public func parametersChanged(clock: StepClock? = nil) throws {
    clock?.enter(.wait)
    try window.barrier()
    clock?.enter(.packing)
    model.pack(parameters, share: Share(index: window.share.index, count: window.share.count))
    clock?.enter(.wait)
    try window.barrier()
  }

  /// What the rank's lanes read in the step that was filled in.
  var input: SequenceInput {
    model.shape.vocabulary == nil
      ? .numbers(UnsafeBufferPointer(batch.numbers)) : .tokens(UnsafeBufferPointer(batch.tokens))
  }
  /// Targets of the rank's lanes, [T, B] or [B].
  var targets: UnsafeBufferPointer<Int32> { UnsafeBufferPointer(batch.targets) }

  /// Timesteps of the sequence of each of the rank's lanes, [B].
  var lengths: UnsafeBufferPointer<Int32> { UnsafeBufferPointer(batch.lengths) }

  /// Forward over the step that was filled in; `step` as the model takes it.
  func forward(step: Int?) {
    model.forward(input, lengths: UnsafeBufferPointer(batch.lengths), parameters: parameters, step: step)
  }

  /// Takes a step's sequences, and forgets the states where the step begins new sequences. Returns the targets
  /// of the global batch.
  func fill(_ source: any SequenceSource, step: Int) -> Int {
    for lane in lanes where source.startsFresh(atStep: step, lane: lane) {
      model.clearState(lane: lane - lanes.lowerBound)
    }
    source.fill(step: step, lanes: lanes, batch: batch)
    return source.targetCount(atStep: step)
  }

  // MARK: Evaluation

  /// What an evaluation looks at: the logits of one window of this rank's lanes.
  public struct EvaluatedWindow {
    /// Step of the evaluation source.
    public let step: Int
    /// The rank's lanes of the global batch.
    public let lanes: Range<Int>
    let model: SequenceModel

    /// Logits, before the softmax, of a lane of the global batch: at timestep `t`, which is nil for a model that says one
    /// class for a whole sequence.
    public func logits(t: Int? = nil, lane: Int) -> UnsafeBufferPointer<Float> {
      model.logits(lane: lane - lanes.lowerBound, t: t)
    }
  }

  /// Mean loss over all targets of a source, each counted once, in nats, without dropout; the same bits for every
  /// number of ranks. The hidden states of training are left as they were. `visit` sees each window of this rank.
  public func evaluate(_ source: any SequenceSource, visit: (EvaluatedWindow) -> Void = { _ in }) throws -> Double {
    let saved = FloatBuffer(count: lanes.count * model.stateSize)
    model.readState(into: saved.pointer)
    let shards = model.rows.shardLanes.count
    var (sums, window) = ([Double](repeating: 0, count: shards), [Double](repeating: 0, count: shards))
    var count = 0
    for step in 0..<source.stepsPerEpoch {
      count += fill(source, step: step)
      forward(step: nil)
      visit(EvaluatedWindow(step: step, lanes: lanes, model: model))
      window.withUnsafeMutableBufferPointer { model.evaluationLoss(targets: targets, shardLosses: $0) }
      for shard in 0..<shards { sums[shard] += window[shard] }
      model.carryState()
    }
    model.writeState(from: saved.pointer)
    let all = try gatherShardValues(sums)
    return SummationTree.sum(0..<plan.shards) { all[$0] } / Double(max(1, count))
  }

  private func gatherShardValues(_ mine: [Double]) throws -> [Double] {
    let segments = Segments(packed: (0..<plan.ranks).map { plan.shards(ofRank: $0).count })
    var all = [Double](repeating: 0, count: plan.shards)
    try mine.withUnsafeBufferPointer { mine in
      try all.withUnsafeMutableBufferPointer { try world.communicator.allGatherV(mine, into: $0, segments) }
    }
    return all
  }
}

extension ModelShape {
  /// What a source writes as targets for the head.
  var batchTargets: SequenceBatch.Targets {
    switch head {
    case .everyStep: .everyStep
    case .lastStep: .lastStep
    }
  }
}
