import Glibc
import Kernels
import LSTM
import MPI
import Optimization
import Sequences

/// What a training step needs to know, the same on every rank.
public struct TrainingSetup: Sendable {
  /// Sizes of the model.
  public var shape: ModelShape
  /// T, timesteps of a window.
  public var timesteps: Int
  /// B, sequences of the global batch.
  public var globalBatch: Int
  /// S, logical shards of the global batch.
  public var shards: Int
  /// Probability of dropping a number.
  public var dropout: Float
  /// Names all random streams.
  public var seed: UInt64
  /// The update.
  public var rule: OptimizerRule
  /// Limit of the gradient's global norm; 0 for none.
  public var clip: Double
  /// How gradients are added over ranks.
  public var reduction: Reduction

  /// A setup of these values.
  public init(
    shape: ModelShape, timesteps: Int, globalBatch: Int, shards: Int, dropout: Float, seed: UInt64,
    rule: OptimizerRule, clip: Double, reduction: Reduction
  ) {
    self.shape = shape
    self.timesteps = timesteps
    self.globalBatch = globalBatch
    self.shards = shards
    self.dropout = dropout
    self.seed = seed
    self.rule = rule
    self.clip = clip
    self.reduction = reduction
  }
}

/// What a step of training found out.
public struct StepResult: Sendable {
  /// Mean loss over the targets of the global batch, in nats.
  public let loss: Double
  /// Global norm of the gradient before clipping.
  public let gradientNorm: Double
  /// Whether both are finite; if not, the parameters have been left as they were.
  public let isFinite: Bool
  /// Seconds for forward and backward on this rank.
  public let computeSeconds: Double
  /// Seconds for waiting for the reduction and gathering the parameters.
  public let reductionSeconds: Double
  /// Seconds for the update and for packing the weights.
  public let updateSeconds: Double
}

/// One rank's part of synchronized training: its shards of every batch, and the parameters, which are the same on all
/// ranks after every step.
public final class Training {
  /// What is trained, and how.
  public let setup: TrainingSetup
  /// The model, and the rank's lanes.
  public let sharded: ShardedModel

  let world: World
  let reducer: Reducer
  let optimizer: Optimizer
  private let memory: GradientMemory
  private let shardLosses: UnsafeMutableBufferPointer<Double>
  private var parameterGuard: ParameterGuard?
  /// A hash of the order in which parts have been handed to the reduction since the start of the program.
  private(set) var reductionOrder: UInt64 = 0

  /// Allocates everything that a step needs. The parameters are zero; `initialize` or `load` comes next.
  /// - Throws: where the plan is impossible, for example with more ranks than shards.
  public init(world: World, setup: TrainingSetup) throws {
    self.world = world
    self.setup = setup
    let plan = try ShardPlan(
      globalBatch: setup.globalBatch, shards: setup.shards, ranks: world.communicator.size)
    sharded = ShardedModel(
      world: world, shape: setup.shape, timesteps: setup.timesteps, plan: plan,
      dropout: Dropout(rate: setup.dropout, seed: setup.seed))
    memory = GradientMemory(
      count: setup.shape.parameterCount, subtrees: sharded.model.rows.subtrees.count)
    reducer = Reducer(
      world: world, reduction: setup.reduction, shardCount: setup.shards, shardsOfRank: plan.shards(ofRank:),
      parts: setup.shape.parts, memory: memory)
    optimizer = Optimizer(rule: setup.rule, ranges: reducer.ownedRanges)
    shardLosses = .allocate(capacity: plan.shards(ofRank: world.communicator.rank).count)
    shardLosses.initialize(repeating: 0)
  }

  deinit { shardLosses.deallocate() }

  /// Initial parameters, a function of the seed alone.
  public func initialize(method: Initialization, forgetBias: Float) {
    setup.shape.initialize(sharded.parameters, seed: setup.seed, method: method, forgetBias: forgetBias)
    sharded.parametersChanged()
  }

  /// From now on a step ends the job where the parameters have changed since the update before it. Costs two passes over
  /// the parameters a step.
  func watchParameters() {
    parameterGuard = ParameterGuard(ParameterTensors(setup.shape), parameters: sharded.parameters)
  }

  /// One synchronized step: forward, loss, backward through time with each part's reduction started as soon as it is
  /// finished, clipping, one update. `step` counts from 0.
  public func step(_ step: Int, source: any SequenceSource) throws -> StepResult {
    let start = World.wallTimeSeconds()
    let (model, parameters) = (sharded.model, sharded.parameters)
    let count = sharded.fill(source, step: step)
    sharded.forward(step: step)
    model.loss(targets: sharded.targets, scale: 1 / Float(max(1, count)), shardLosses: shardLosses)
    model.backward(sharded.input, step: step, gradient: memory.gradient(0), subtreeStride: memory.count) {
      part in
      reductionOrder = reductionOrder &* 0x9E37_79B1_85EB_CA87 &+ UInt64(part + 1)
      reducer.submit(part: part)
      reducer.poll()
    }
    // No rank updates before all ranks have come to `finish`. Requests are under way: an error must not unwind past them.
    do { try parameterGuard?.check(parameters, step: step) } catch { world.fail(error) }
    let computed = World.wallTimeSeconds()
    let norm = try reducer.finish(ownShardValues: UnsafeBufferPointer(shardLosses))
    let loss = SummationTree.sum(0..<setup.shards) { reducer.shardValues[$0] } / Double(max(1, count))
    let reduced = World.wallTimeSeconds()

    let isFinite = norm.isFinite && loss.isFinite
    var gathering = 0.0
    if isFinite {
      optimizer.update(
        parameters, gradient: memory.gradient(0), gradientScale: clipFactor(norm: norm, limit: setup.clip), step: step)
      let updated = World.wallTimeSeconds()
      try reducer.gatherOwned(parameters)
      gathering = World.wallTimeSeconds() - updated
      sharded.parametersChanged()
      parameterGuard?.updated(parameters)
    }
    model.carryState()
    let end = World.wallTimeSeconds()
    return StepResult(
      loss: loss, gradientNorm: norm, isFinite: isFinite, computeSeconds: computed - start,
      reductionSeconds: reduced - computed + gathering, updateSeconds: end - reduced - gathering)
  }

  /// Refuses what cannot fit into the memory of a node with `localRanks` ranks, before any of it is allocated.
  public static func checkMemory(_ setup: TrainingSetup, plan: ShardPlan, localRanks: Int) throws {
    let needed = estimatedBytes(setup, plan: plan)
    let present = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) / max(1, localRanks)
    guard needed <= present else {
      throw Failure(
        message: "error: model and batch do not fit — expected at most \(present >> 20) MB a rank, got an estimate of "
          + "\(needed >> 20) MB\nhint: lower model.hidden, model.layers, batch.sequences or batch.steps, or use more nodes",
        exitCode: 78)
    }
  }

  /// Bytes that training takes on the rank with the most lanes: parameters, gradients, packed weights, activations, and
  /// the optimizer's moments. The formulas stand at `SequenceModel`, `LSTMLayer` and `OutputLayer`.
  public static func estimatedBytes(_ setup: TrainingSetup, plan: ShardPlan) -> Int {
    let ranks = 0..<plan.ranks
    let lanes = ranks.map { plan.lanes(ofRank: $0).count }.max() ?? 0
    let subtrees =
      ranks.map { SummationTree.subtrees(of: plan.shards(ofRank: $0), leafCount: plan.shards).count }.max() ?? 1
    let memory = SequenceModel.memory(
      shape: setup.shape, timesteps: setup.timesteps, lanes: lanes, subtrees: subtrees, dropout: setup.dropout > 0)
    // The slices that other ranks send: each of their subtrees, 1/P of the gradient.
    let others = plan.ranks == 1 ? 0 : (plan.ranks - 1) * subtrees * memory.parameters / plan.ranks
    let moments = setup.rule.moments.count * memory.parameters / (setup.reduction == .mpi ? 1 : plan.ranks)
    return memory.parameters + memory.gradients + memory.packed + memory.activations + others + moments
  }
}
