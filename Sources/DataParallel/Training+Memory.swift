import JobHealth
import LSTM
import MPI
import Plan
import Reduction

/// What a training takes, told from its setup before anything is allocated.
extension Training {
  /// What the windows of a node with this many ranks take: its copy of the parameters, one for a checkpoint, and for each
  /// rank its gradients and a page for its scalars.
  static func sharedBytes(_ setup: TrainingSetup, plan: ShardPlan, ranks: Int) -> Int {
    let (memory, checkpoint) = (Training.memory(setup, plan: plan), Training.checkpointBytes(setup))
    return memory.parameters + memory.packed + checkpoint + ranks * (memory.gradients + 1 << 20)
  }

  /// Bytes of a checkpoint, about, and of the copy from which rank 0 writes it: parameters, moments, and the states of
  /// all lanes.
  package static func checkpointBytes(_ setup: TrainingSetup) -> Int {
    let shape = setup.shape
    return 4
      * (shape.parameterCount * (1 + setup.moments.count) + setup.globalBatch * shape.lstm.count * 2 * shape.hidden)
  }

  /// What a rank takes, of which `sharing` have one copy of the parameters; about the same on each, but that rank 0 and
  /// its node hold the copy for a checkpoint.
  package static func memoryNeed(
    _ setup: TrainingSetup, plan: ShardPlan, sharing: Int, localRanks: Int, isRoot: Bool
  ) -> MemoryNeed {
    let (estimate, checkpoint) = (memoryEstimate(setup, plan: plan, sharing: sharing), checkpointBytes(setup))
    let whole = memoryEstimate(setup, plan: plan)
    return MemoryNeed(
      resident: estimate.total + checkpoint / localRanks,
      // Each rank maps the gradients of all that share, and the copy.
      mapped: whole.total - whole.other + estimate.other + (sharing - 1) * estimate.gradients
        + (isRoot || sharing > 1 ? checkpoint : 0),
      data: sharing > 1 ? estimate.activations + estimate.other : estimate.total + (isRoot ? checkpoint : 0))
  }

  /// Refuses what cannot fit, before any of it is allocated: exit code 78. Every rank calls it.
  /// - Parameters:
  ///   - sharing: ranks that use one copy of the parameters; nil where that is not decided yet, then what takes less
  ///     counts.
  ///   - dataBytes: what data take that have still to be read.
  package static func checkMemory(
    _ setup: TrainingSetup, plan: ShardPlan, sharing: Int?, dataBytes: Int = 0, world: World
  ) {
    let localRanks = world.node.size
    let needs = (sharing.map { [$0] } ?? [1, localRanks]).map {
      memoryNeed(setup, plan: plan, sharing: $0, localRanks: localRanks, isRoot: world.communicator.rank == 0)
    }
    let need = MemoryNeed(
      resident: needs.map(\.resident).min()!, mapped: needs.map(\.mapped).min()!, data: needs.map(\.data).min()!)
    world.agree {
      try MemoryLimits.ofThisProcess(localRanks: localRanks).check(
        need + dataBytes, for: "model and batch do not fit",
        hint: "lower model.hidden, model.layers, batch.sequences or batch.steps, raise batch.accumulate, set "
          + "training.recompute, or use more nodes")
    }
  }

  /// Bytes that training takes on the rank with the most lanes. The formulas stand at `SequenceModel`, `LSTMLayer` and
  /// `OutputLayer`.
  /// - Parameter sharing: ranks that use one copy of the parameters and the packed weights; each counts its part of it.
  package static func memoryEstimate(_ setup: TrainingSetup, plan: ShardPlan, sharing: Int = 1) -> MemoryEstimate {
    let memory = memory(setup, plan: plan)
    let others =
      setup.reduction == .reproducible && sharing < plan.ranks ? exchangeBytes(setup, plan: plan, sharing) : 0
    // Ranks that share parameters update a part of them each.
    let moments = setup.moments.count * memory.parameters / sharing
    return MemoryEstimate(
      parameters: memory.parameters / sharing, gradients: memory.gradients, packed: memory.packed / sharing,
      activations: memory.activations, other: others + moments)
  }

  /// Bytes that training takes on the rank with the most lanes, all together.
  package static func estimatedBytes(_ setup: TrainingSetup, plan: ShardPlan, sharing: Int = 1) -> Int {
    memoryEstimate(setup, plan: plan, sharing: sharing).total
  }

  /// What the model takes on the rank with the most lanes, in bytes.
  package static func memory(
    _ setup: TrainingSetup, plan: ShardPlan
  ) -> (parameters: Int, gradients: Int, packed: Int, activations: Int) {
    let passes = (0..<plan.ranks).map { plan.passes(ofRank: $0, atMost: setup.accumulate) }
    let lanes = passes.joined().map { plan.lanes(ofShards: $0).count }.max() ?? 0
    let shards = passes.joined().map(\.count).max() ?? 0
    let gradients = passes.map { ShardedRows.gradientCount(passes: $0, shardCount: plan.shards) }.max() ?? 1
    var memory = SequenceModel.memory(
      shape: setup.shape, timesteps: setup.timesteps, segment: setup.segment, lanes: lanes, shards: shards,
      gradients: gradients, dropout: setup.dropout > 0, penalty: !setup.penalty.isZero)
    // The states before and behind a step, of all passes.
    let states = 2 * 2 * setup.shape.lstm.count * setup.shape.hidden * MemoryLayout<Float>.stride
    memory.activations += states * ((0..<plan.ranks).map { plan.lanes(ofRank: $0).count }.max() ?? 0)
    return memory
  }

  /// What other ranks send: of each of their subtrees, 1/P of the gradient. Rows of an embedding are packed. Where
  /// ranks share memory, each does that for its part of the gradient, which it sums first.
  private static func exchangeBytes(_ setup: TrainingSetup, plan: ShardPlan, _ sharing: Int) -> Int {
    if sharing > 1 { return 2 * mostSubtrees(plan) * setup.shape.gradientCount / sharing * MemoryLayout<Float>.stride }
    let subtrees = subtrees(plan)
    let whole = (plan.ranks - 1) * mostSubtrees(plan)
    let float = MemoryLayout<Float>.stride
    guard setup.embeddingRows == .sparse, let table = setup.shape.embeddingRange, let V = setup.shape.vocabulary else {
      return whole * setup.shape.gradientCount / plan.ranks * float
    }
    let rows = RowMessages.bufferCount(
      mostRows: min(V, setup.timesteps * setup.globalBatch), size: setup.shape.inputs, subtrees: subtrees)
    return (whole * (setup.shape.gradientCount - table.count) / plan.ranks + 2 * rows) * float
  }

  private static func subtrees(_ plan: ShardPlan) -> [[Range<Int>]] {
    (0..<plan.ranks).map { SummationTree.subtrees(of: plan.shards(ofRank: $0), leafCount: plan.shards) }
  }

  /// Subtrees of the shards of the rank that has most of them.
  package static func mostSubtrees(_ plan: ShardPlan) -> Int { subtrees(plan).map(\.count).max() ?? 1 }
}

extension Replica {
  /// What a model that is only evaluated takes on the rank with the most lanes.
  package static func memoryNeed(of setup: TrainingSetup, plan: ShardPlan) -> MemoryNeed {
    let memory = Training.memory(setup, plan: plan)
    return MemoryNeed(own: memory.parameters + memory.packed + memory.activations)
  }
}
