import Kernels
import LSTM
import MPI
import Sequences

/// A language model on all ranks: the same parameters everywhere, and on each rank the lanes of its shards.
public final class ShardedModel {
  /// Who computes what.
  public let plan: ShardPlan
  /// The rank's lanes of the global batch.
  public let lanes: Range<Int>

  let model: LanguageModel
  private let world: World
  private let parameterMemory: FloatBuffer
  private let tokenMemory: UnsafeMutableBufferPointer<Int32>
  private let targetMemory: UnsafeMutableBufferPointer<Int32>

  /// Allocates the memory of a forward and backward pass. The parameters are zero.
  public init(world: World, shape: LanguageModelShape, timesteps: Int, plan: ShardPlan, dropout: Dropout?) {
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
    model = LanguageModel(shape: shape, rows: rows, firstLane: first, dropout: dropout)
    parameterMemory = FloatBuffer(count: shape.parameterCount)
    tokenMemory = .allocate(capacity: timesteps * lanes.count)
    targetMemory = .allocate(capacity: timesteps * lanes.count)
    tokenMemory.initialize(repeating: 0)
    targetMemory.initialize(repeating: noTarget)
  }

  deinit {
    tokenMemory.deallocate()
    targetMemory.deallocate()
  }

  /// The flat parameters, the same on every rank. After writing to them call `parametersChanged`.
  public var parameters: UnsafeMutablePointer<Float> { parameterMemory.pointer }

  /// The parameters have been written: the products read copies of them in another order.
  public func parametersChanged() { model.pack(parameters) }

  /// Tokens of the rank's lanes, [T, B].
  var tokens: UnsafeBufferPointer<Int32> { UnsafeBufferPointer(tokenMemory) }
  /// Targets of the rank's lanes, [T, B].
  var targets: UnsafeBufferPointer<Int32> { UnsafeBufferPointer(targetMemory) }

  /// Takes a step's tokens and targets, and forgets the states where the step begins new sequences. Returns the targets
  /// of the global batch.
  func fill(_ source: any SequenceSource, step: Int) -> Int {
    for lane in lanes where source.startsFresh(atStep: step, lane: lane) {
      model.clearState(lane: lane - lanes.lowerBound)
    }
    source.fill(step: step, lanes: lanes, tokens: tokenMemory, targets: targetMemory)
    return source.targetCount(atStep: step)
  }

  // MARK: Evaluation

  /// What an evaluation looks at: the logits of one window of this rank's lanes.
  public struct EvaluatedWindow {
    /// Step of the evaluation source.
    public let step: Int
    /// The rank's lanes of the global batch.
    public let lanes: Range<Int>
    let output: OutputLayer

    /// V logits, before the softmax, at timestep `t` of a lane of the global batch.
    public func logits(t: Int, lane: Int) -> UnsafeBufferPointer<Float> {
      UnsafeBufferPointer(output.logits(row: t * lanes.count + (lane - lanes.lowerBound)))
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
      model.forward(tokens: tokens, parameters: parameters, step: nil)
      visit(EvaluatedWindow(step: step, lanes: lanes, output: model.output))
      window.withUnsafeMutableBufferPointer {
        model.output.evaluationLoss(targets: targets, rows: model.rows, shardLosses: $0)
      }
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
