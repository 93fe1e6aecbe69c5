import JobHealth
import LSTM
import MPI
import Optimization
import Plan
import Reduction
import Sequences
import Timing

/// One rank's part of synchronized training: its shards of every batch, and the parameters, which are the same on all
/// ranks after every step.
package final class Training {
  /// What is trained, and how.
  package let setup: TrainingSetup
  package let replica: Replica

  /// Times the phases of this rank.
  package let clock: StepClock
  /// Which ranks share memory.
  package let sharing: NodeSharing

  package let world: World
  let reducer: any Reducer
  /// The reducer, where it sends the beginning of a part before the rest is computed.
  let earlyReducer: (any EarlyReducer)?
  let optimizer: Optimizer
  package let memory: GradientMemory
  /// Where this rank reports its phase; nil where nobody watches.
  package var heartbeat: Heartbeat?
  let shardLosses: UnsafeMutableBufferPointer<Double>
  var parameterGuard: ParameterGuard?
  private var snapshotMemory: Snapshot?
  /// What the run has been through because of numbers that were not finite.
  package var setbacks = Setbacks()
  /// The evaluations so far, where they decide how the training goes on. The same on every rank.
  package var evaluations: [Evaluation] = []
  /// A hash of the order in which parts have been handed to the reduction since the start of the program.
  package internal(set) var reductionOrder: UInt64 = 0
  /// Parts of the gradient that have not been handed to the reduction of the step.
  var unsubmitted = 0

  /// Allocates everything that a step needs. The parameters are zero; `initialize` or `load` comes next. Collective.
  /// - Parameter tracedEvents: how many events of this rank's clock are kept for a trace.
  /// - Throws: where the plan is impossible, for example with more ranks than shards. Ends the job where memory is short.
  package init(world: World, setup: TrainingSetup, tracedEvents: Int = 0) throws {
    self.world = world
    self.setup = setup
    let plan = try ShardPlan(
      globalBatch: setup.globalBatch, shards: setup.shards, ranks: world.communicator.size)
    sharing = try NodeSharing.decide(setup.sharedMemory, reduction: setup.reduction, world: world) {
      Training.sharedBytes(setup, plan: plan, ranks: $0)
    }
    Training.checkMemory(setup, plan: plan, sharing: sharing.ranks, world: world)
    replica = try Replica(
      world: world, shape: setup.shape, timesteps: setup.timesteps, segment: setup.segment, plan: plan,
      dropout: Dropout(setup), penalty: setup.penalty, accumulate: setup.accumulate, sharing: sharing)
    let rank = world.communicator.rank
    memory = try GradientMemory(
      count: setup.shape.gradientCount,
      subtrees: SummationTree.subtrees(of: plan.shards(ofRank: rank), leafCount: plan.shards).count,
      gradients: ShardedRows.gradientCount(
        passes: plan.passes(ofRank: rank, atMost: setup.accumulate), shardCount: plan.shards), node: sharing.node)
    let shape = setup.shape
    clock = StepClock(parts: shape.parts.count, tracedEvents: tracedEvents)
    reducer = try makeReducer(
      ReductionPlan(
        parts: shape.parts,
        embedding: shape.vocabulary.map {
          (rows: $0, size: shape.inputs, mostRows: min($0, setup.timesteps * setup.globalBatch))
        }, sendsRows: shape.vocabulary != nil && setup.embeddingRows == .sparse,
        sharedPart: shape.sharedPart, shardCount: setup.shards,
        shards: (0..<plan.ranks).map(plan.shards(ofRank:))),
      reduction: setup.reduction, memory: memory, sharing: sharing, world: world, clock: clock)
    earlyReducer = reducer as? any EarlyReducer
    // The first part of the gradient is none of the parameters where the weights are tied.
    let shift = shape.gradientShift
    optimizer = Optimizer(
      rule: setup.rule,
      ranges: reducer.ownedRanges[(shift == 0 ? 0 : 1)...].map { $0.lowerBound - shift..<$0.upperBound - shift },
      norms: NormBlocks(parts: shape.parameterParts, tensors: ParameterTensors(shape).ranges),
      averages: setup.averaging != .never)
    shardLosses = .allocate(capacity: plan.shards(ofRank: rank).count)
    shardLosses.initialize(repeating: 0)
  }

  deinit { shardLosses.deallocate() }

  /// Initial parameters, a function of the seed alone but for the tokens that `vectors` has.
  package func initialize(
    method: Initialization, forgetBias: Float, inputBias: Float = 0, vectors: WordVectors? = nil
  ) throws {
    if replica.writesParameters {
      setup.shape.initialize(
        replica.parameters, seed: setup.seed, method: method, forgetBias: forgetBias, inputBias: inputBias)
      vectors?.write(to: replica.parameters, setup.shape)
    }
    try replica.parametersChanged()
  }

  /// What checkpoints are written from; its memory is made by the first call. Collective.
  package func snapshot() throws -> Snapshot {
    if let snapshotMemory { return snapshotMemory }
    let made = try Snapshot(of: self)
    snapshotMemory = made
    return made
  }

  /// From now on a step ends the job where the parameters have changed since the update before it. Costs two passes
  /// over the parameters a step.
  package func watchParameters() {
    parameterGuard = ParameterGuard(ParameterTensors(setup.shape), parameters: replica.parameters)
  }
}

extension WordVectors {
  /// Writes the vectors into the embedding E.
  /// - Precondition: it has their length, and a row for each token.
  fileprivate func write(to parameters: UnsafeMutablePointer<Float>, _ shape: ModelShape) {
    guard let embedding = shape.embeddingRange, case .tokens(let vocabulary, width) = shape.input,
      tokens.allSatisfy({ (0..<Int32(vocabulary)).contains($0) })
    else { preconditionFailure("the embedding must have a row of \(width) numbers for each token") }
    values.withUnsafeBufferPointer { values in
      for (index, token) in tokens.enumerated() {
        (parameters + embedding.lowerBound + Int(token) * width).update(
          from: values.baseAddress! + index * width, count: width)
      }
    }
  }
}
