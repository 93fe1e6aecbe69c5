import Kernels
import LSTM
import MPI
import Plan
import Reduction
import Sequences
import Timing

/// This rank's share of a model on all ranks: the parameters, the same on every rank, and the lanes of its shards, which
/// it computes in one pass or several.
package final class Replica {
  /// Who computes what.
  package let plan: ShardPlan
  /// The rank's lanes of the global batch.
  package let lanes: Range<Int>

  package let model: SequenceModel
  let world: World
  /// The parameters, and behind them the packed weights of ranks that share them.
  private let shared: NodeMemory
  private let batch: SequenceBatch
  /// What each pass is about.
  let passes: [Pass]
  /// The one that was begun last.
  private var pass: Pass
  /// Timesteps of the window of the step, nil for all of T.
  private var windowSteps: Int?
  /// Hidden and cell states of the rank's lanes, lane after lane as the model writes them: those before a step, and
  /// those behind it as far as its passes have been made.
  private var statesBefore: FloatBuffer
  private var statesBehind: FloatBuffer

  /// Some of the rank's shards, which are computed together.
  struct Pass {
    let index: Int
    /// Within the global batch.
    let lanes: Range<Int>
    /// Counted from the rank's first shard.
    let shards: Range<Int>
    let batch: SequenceBatch
  }

  /// Allocates the memory of a forward and backward pass. The parameters are zero. Collective over ranks that share.
  /// - Parameters:
  ///   - segment: timesteps that are in memory together; nil for all.
  ///   - accumulate: the most passes that a rank makes over its shards.
  package init(
    world: World, shape: ModelShape, timesteps: Int, segment: Int? = nil, plan: ShardPlan, dropout: Dropout?,
    penalty: ActivationPenalty = ActivationPenalty(), accumulate: Int = 1, sharing: NodeSharing = .none
  ) throws {
    self.world = world
    self.plan = plan
    let rank = world.communicator.rank
    lanes = plan.lanes(ofRank: rank)
    let passShards = plan.passes(ofRank: rank, atMost: accumulate)
    let rows = passShards.map { plan.rows(ofShards: $0, rank: rank, timesteps: segment ?? timesteps) }
    // One copy for all that share, in the segment of the first of them.
    let (parameters, packed) = (FloatArena.taken(by: shape.parameterCount), SequenceModel.packedFloats(shape))
    let holdsCopy = sharing.node.map { $0.rank == 0 } ?? true
    shared = try NodeMemory(
      byteCount: holdsCopy ? (parameters + packed) * MemoryLayout<Float>.stride : 0, node: sharing.node)
    let memory = shared.memory(ofRank: 0).assumingMemoryBound(to: Float.self)
    model = SequenceModel(
      shape: shape, passes: rows, timesteps: timesteps, dropout: dropout, penalty: penalty,
      weights: FloatArena(
        memory: UnsafeMutableBufferPointer(start: memory + parameters, count: packed), owner: shared))
    let batch = SequenceBatch.allocate(
      timesteps: timesteps, lanes: rows.map(\.lanes).max()!,
      inputs: shape.vocabulary == nil ? .numbers(shape.inputs) : .tokens, targets: shape.batchTargets)
    self.batch = batch
    let firstShard = passShards[0].lowerBound
    passes = passShards.enumerated().map { index, shards in
      let lanes = plan.lanes(ofShards: shards)
      return Pass(
        index: index, lanes: lanes, shards: shards.lowerBound - firstShard..<shards.upperBound - firstShard,
        batch: batch.prefix(lanes: lanes.count))
    }
    pass = passes[0]
    statesBefore = FloatBuffer(count: lanes.count * model.stateSize)
    statesBehind = FloatBuffer(count: lanes.count * model.stateSize)
  }

  deinit { batch.deallocate() }

  /// The flat parameters, the same on every rank. After writing to them call `parametersChanged`.
  package var parameters: UnsafeMutablePointer<Float> {
    shared.memory(ofRank: 0).assumingMemoryBound(to: Float.self)
  }

  /// Whether this rank is the one that writes whole parameters where several share them.
  package var writesParameters: Bool { shared.share.index == 0 }

  /// The parameters have been written: the products read copies of them in another order. Ranks that share wait for
  /// each other, and each packs its share; the clock, if there is one, tells the two apart.
  package func parametersChanged(clock: StepClock? = nil) throws {
    clock?.enter(.wait)
    try shared.barrier()
    clock?.enter(.packing)
    model.pack(parameters, share: Share(index: shared.share.index, count: shared.share.count))
    clock?.enter(.wait)
    try shared.barrier()
  }

  /// What follows is training step `step`, or an evaluation (nil): where recurrent weights are dropped the ranks pack
  /// those that it needs.
  func packRecurrent(step: Int?) throws {
    guard model.dropsWeights else { return }
    try shared.barrier()
    model.packRecurrent(parameters, step: step, share: Share(index: shared.share.index, count: shared.share.count))
    try shared.barrier()
  }

  // MARK: A pass

  /// A pass over a step: its lanes take their sequences, and the states before the step, which are zero where a lane
  /// begins a new sequence.
  func begin(_ pass: Pass, of source: any SequenceSource, step: Int) {
    self.pass = pass
    model.select(pass: pass.index)
    model.writeState(from: statesBefore.pointer + place(of: pass))
    for lane in pass.lanes where source.startsFresh(atStep: step, lane: lane) {
      model.clearState(lane: lane - pass.lanes.lowerBound)
    }
    source.fill(step: step, lanes: pass.lanes, batch: pass.batch)
    let steps = source.windowSteps(atStep: step)
    windowSteps = steps < source.timesteps ? steps : nil
  }

  /// What the lanes of the pass read.
  var input: SequenceInput {
    model.shape.vocabulary == nil
      ? .numbers(UnsafeBufferPointer(pass.batch.numbers)) : .tokens(UnsafeBufferPointer(pass.batch.tokens))
  }
  /// Targets of the lanes of the pass, of the head's kind.
  var targets: SequenceTargets {
    switch model.shape.head {
    case .everyStep, .pooled: .classes(UnsafeBufferPointer(pass.batch.targets))
    case .everyStepUnits, .pooledNumbers: .numbers(UnsafeBufferPointer(pass.batch.values))
    }
  }

  /// Timesteps of the sequence of each lane of the pass, [B].
  var lengths: UnsafeBufferPointer<Int32> { UnsafeBufferPointer(pass.batch.lengths) }

  /// Forward over the pass; `step` and `between` as the model takes them. The states behind it are kept for
  /// `carryStates`.
  func forward(step: Int?, between: () throws -> Void) rethrows {
    try model.forward(input, lengths: lengths, parameters: parameters, step: step, between: between)
    model.readState(into: statesBehind.pointer + place(of: pass), after: windowSteps)
  }

  /// Makes a segment the one that is in memory, after `forward`.
  func recompute(segment: Int, step: Int?, between: () throws -> Void) rethrows {
    try model.recompute(
      segment: segment, input, lengths: lengths, parameters: parameters, step: step, between: between)
  }

  private func place(of pass: Pass) -> Int { (pass.lanes.lowerBound - lanes.lowerBound) * model.stateSize }

  // MARK: States

  /// The states before the next step, lane after lane.
  var states: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: statesBefore.pointer, count: statesBefore.count)
  }

  /// The states before a step that all ranks have computed: those of lanes that began new sequences in it are zero.
  func clearFreshStates(_ step: Int, of source: any SequenceSource) {
    for lane in lanes where source.startsFresh(atStep: step, lane: lane) { state(ofLane: lane).update(repeating: 0) }
  }

  /// Lanes with a number in their state that is not finite begin the next step with a state of zero.
  func clearNonFiniteStates() {
    for lane in lanes {
      let state = state(ofLane: lane)
      if !state.allSatisfy(\.isFinite) { state.update(repeating: 0) }
    }
  }

  private func state(ofLane lane: Int) -> UnsafeMutableBufferPointer<Float> {
    let size = model.stateSize
    return UnsafeMutableBufferPointer(
      start: statesBefore.pointer + (lane - lanes.lowerBound) * size, count: size)
  }

  /// After all passes of a step: the states behind it are those before the next one.
  func carryStates() { swap(&statesBefore, &statesBehind) }

  // MARK: Evaluation

  /// What an evaluation looks at: the logits of one window, or of a segment of it, of some of this rank's lanes.
  package struct EvaluatedWindow {
    /// Step of the evaluation source.
    package let step: Int
    /// Those of the window that there are logits of, with a head at every timestep.
    package let timesteps: Range<Int>
    /// Lanes of the global batch.
    package let lanes: Range<Int>
    let model: SequenceModel

    /// Logits, before the softmax, of a lane of the global batch: at timestep `t`, which is nil with a pooled head.
    package func logits(t: Int? = nil, lane: Int) -> UnsafeBufferPointer<Float> {
      model.logits(lane: lane - lanes.lowerBound, t: t.map { $0 - timesteps.lowerBound })
    }
  }

  /// Mean loss over all targets of a source, each counted once, in nats, without dropout; the same bits for every
  /// number of ranks. The hidden states of training are left as they were. `visit` sees each window of this rank.
  /// - Throws: `StopListener.Abandoned`, on every rank, where one of them has found by `stop` that the job is to stop.
  package func evaluate(
    _ source: any SequenceSource, stop: StopListener? = nil, visit: (EvaluatedWindow) -> Void = { _ in }
  ) throws -> Double {
    let saved = Array(states)
    try packRecurrent(step: nil)
    var sums = [Double](repeating: 0, count: plan.shards(ofRank: world.communicator.rank).count)
    let isAbandoned = try StopListener.isAbandoned {
      for step in 0..<source.stepsPerEpoch {
        try evaluate(source, step: step, sums: &sums, between: { try stop?.check() }, visit: visit)
        carryStates()
      }
    }
    _ = states.update(fromContentsOf: saved)
    try stop?.agree(isAbandoned: isAbandoned)
    if stop?.agreement?.isAbandoned == true { throw StopListener.Abandoned() }
    let all = try gatherShardValues(sums)
    let count = (0..<source.stepsPerEpoch).reduce(0) { $0 + source.targetCount(atStep: $1) }
    return SummationTree.sum(0..<plan.shards) { all[$0] } / Double(max(1, count))
  }

  /// Adds the losses of one window to the sums of the rank's shards.
  private func evaluate(
    _ source: any SequenceSource, step: Int, sums: inout [Double], between: () throws -> Void,
    visit: (EvaluatedWindow) -> Void
  ) throws {
    var window = [Double](repeating: 0, count: sums.count)
    for pass in passes {
      begin(pass, of: source, step: step)
      try forward(step: nil, between: between)
      for segment in model.segments.indices.reversed() {
        try recompute(segment: segment, step: nil, between: between)
        guard model.hasOutputs else { break }
        visit(EvaluatedWindow(step: step, timesteps: model.segments[segment], lanes: pass.lanes, model: model))
        try window.withUnsafeMutableBufferPointer {
          try model.evaluationLoss(
            targets: targets, shardLosses: UnsafeMutableBufferPointer(rebasing: $0[pass.shards]), between: between)
        }
      }
    }
    for shard in sums.indices { sums[shard] += window[shard] }
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

extension ShardPlan {
  /// The rows of a pass over some shards of a rank.
  fileprivate func rows(ofShards shards: Range<Int>, rank: Int, timesteps: Int) -> ShardedRows {
    let first = lanes(ofShards: shards).lowerBound
    return ShardedRows(
      timesteps: timesteps, firstLane: first,
      shardLanes: shards.map {
        let lanes = lanes(ofShard: $0)
        return lanes.lowerBound - first..<lanes.upperBound - first
      }, shards: shards, ownShards: self.shards(ofRank: rank), shardCount: self.shards)
  }
}

extension ModelShape {
  /// What a source writes as targets for the head.
  var batchTargets: SequenceBatch.Targets {
    switch head {
    case .everyStep: .everyStep
    case .everyStepUnits(let count): .everyStepNumbers(count)
    case .pooled: .pooled
    case .pooledNumbers(let count): .pooledNumbers(count)
    }
  }
}
