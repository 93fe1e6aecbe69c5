import Checkpoints
import Kernels
import LSTM
import MPI
import Optimization
import Sequences
import Timing

/// What a step of training found out.
public struct StepResult: Sendable {
  /// Mean loss over the targets of the global batch, in nats.
  public let loss: Double
  /// Global norm of the gradient before clipping.
  public let gradientNorm: Double
  /// The learning rate of the step.
  public let learningRate: Double
  /// Where numbers went bad, if a number of them did: then parameters, moments and the states of the lanes have been
  /// left as they were. The same on every rank.
  public let nonFinite: NonFiniteFinding?
  /// Whether loss and gradient are finite.
  public var isFinite: Bool { nonFinite == nil }
  /// What this rank measured since the end of the step before.
  public let times: StepTimes
  /// The lowest rank that brought a notice other than 0, and the notice; the same on every rank.
  public let notice: (number: Int32, rank: Int)?
}

/// One rank's part of synchronized training: its shards of every batch, and the parameters, which are the same on all
/// ranks after every step.
public final class Training {
  /// What is trained, and how.
  public let setup: TrainingSetup
  /// The model, and the rank's lanes.
  public let sharded: ShardedModel

  /// What this rank is about.
  public let clock: StepClock
  /// Which ranks share memory.
  public let sharing: NodeSharing

  let world: World
  let reducer: any Reducer
  let optimizer: Optimizer
  let memory: GradientMemory
  /// Where this rank says what it is about, if anywhere.
  public var heartbeat: Heartbeat?
  private let shardLosses: UnsafeMutableBufferPointer<Double>
  private var parameterGuard: ParameterGuard?
  private var snapshotMemory: Snapshot?
  /// What the run has been through because of numbers that were not finite.
  var setbacks = Setbacks()
  /// The evaluations so far, where they decide how the training goes on. The same on every rank.
  var evaluations: [Evaluation] = []
  /// A hash of the order in which parts have been handed to the reduction since the start of the program.
  private(set) var reductionOrder: UInt64 = 0

  /// Allocates everything that a step needs. The parameters are zero; `initialize` or `load` comes next. Collective.
  /// - Parameter tracedEvents: how many events of this rank's clock are kept for a trace.
  /// - Throws: where the plan is impossible, for example with more ranks than shards.
  public init(world: World, setup: TrainingSetup, tracedEvents: Int = 0) throws {
    self.world = world
    self.setup = setup
    let plan = try ShardPlan(
      globalBatch: setup.globalBatch, shards: setup.shards, ranks: world.communicator.size)
    sharing = try NodeSharing.decide(setup, plan: plan, world: world)
    sharded = try ShardedModel(
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
  public func initialize(
    method: Initialization, forgetBias: Float, inputBias: Float = 0, vectors: WordVectors? = nil
  ) throws {
    if sharded.writesParameters {
      setup.shape.initialize(
        sharded.parameters, seed: setup.seed, method: method, forgetBias: forgetBias, inputBias: inputBias)
      vectors?.write(to: sharded.parameters, setup.shape)
    }
    try sharded.parametersChanged()
  }

  /// What checkpoints are written from; its memory is made by the first call. Collective.
  func snapshot() throws -> Snapshot {
    if let snapshotMemory { return snapshotMemory }
    let made = try Snapshot(of: self)
    snapshotMemory = made
    return made
  }

  /// From now on a step ends the job where the parameters have changed since the update before it. Costs two passes
  /// over the parameters a step.
  func watchParameters() {
    parameterGuard = ParameterGuard(ParameterTensors(setup.shape), parameters: sharded.parameters)
  }

  /// One synchronized step: forward, loss and backward through time, pass after pass over the rank's shards, with each
  /// part's reduction started as soon as the last pass has finished it; clipping, one update. `step` counts from 0.
  /// `notice` is a number that all ranks are to know, asked for as late as possible.
  public func step(_ step: Int, source: any SequenceSource, notice: () -> Int32 = { 0 }) throws -> StepResult {
    heartbeat?.enter(.computing, step: step + 1)
    let (model, parameters) = (sharded.model, sharded.parameters)
    clock.beginStep(step + 1)
    beginAveragingWhereDue(step)
    if model.dropsWeights {
      clock.enter(.packing)
      try sharded.packRecurrent(step: step)
      clock.enter(.data)
    }
    sharded.beginStep(step, of: source)
    let count = source.targetCount(atStep: step)
    for pass in sharded.passes { run(pass, step: step, source: source, targetCount: count) }
    // No rank updates before all ranks have come to `finish`. Requests are under way: an error must not unwind past
    // them.
    do { try parameterGuard?.check(parameters, step: step) } catch { world.fail(error) }
    clock.enter(.wait)
    heartbeat?.enter(.reducing, step: step + 1)
    let norm = try reducer.finish(
      ownShardValues: UnsafeBufferPointer(shardLosses), notice: Double(notice()))
    clock.enter(.update)
    heartbeat?.enter(.updating, step: step + 1)
    let loss = SummationTree.sum(0..<setup.shards) { reducer.shardValues[$0] } / Double(max(1, count))

    let isFinite = norm.isFinite && loss.isFinite
    let learningRateFactor = learningRateFactor(step, source)
    if isFinite {
      try update(step, norm: norm, learningRateFactor: learningRateFactor)
      try sharded.parametersChanged(clock: clock)
      parameterGuard?.updated(parameters)
      setbacks.skippedInARow = 0
    }
    let finding = isFinite ? nil : try findNonFinite(step: step, source: source, targetCount: count)
    clock.enter(.update)
    reducer.clearEmbedding()
    model.clearEmbeddingGradient(memory.gradient(0), subtreeStride: memory.count)
    if isFinite { sharded.carryStates() }
    return StepResult(
      loss: loss, gradientNorm: norm, learningRate: setup.rule.learningRate * learningRateFactor,
      nonFinite: finding,
      times: clock.endStep(),
      notice: reducer.notices.firstIndex { $0 != 0 }.map { (Int32(reducer.notices[$0]), $0) })
  }

  /// After a step that was not finite: what is left of it is the count.
  func countSkipped() {
    setbacks.skipped += 1
    setbacks.skippedInARow += 1
    // A state that came to be NaN would stay so for ever.
    sharded.clearNonFiniteStates()
  }

  /// One pass: the gradient of its shards joins that of the passes before. With the last one a part is complete.
  private func run(_ pass: ShardedModel.Pass, step: Int, source: any SequenceSource, targetCount: Int) {
    if pass.index > 0 { clock.enter(.data) }
    sharded.begin(pass, of: source, step: step)
    clock.enter(.forward)
    sharded.forward(step: step)
    let model = sharded.model
    let isLast = pass.index == sharded.passes.count - 1
    for segment in model.segments.indices.reversed() {
      clock.enter(.forward)
      sharded.recompute(segment: segment, step: step)
      clock.enter(.loss)
      model.loss(
        targets: sharded.targets, scale: 1 / Float(max(1, targetCount)),
        shardLosses: UnsafeMutableBufferPointer(rebasing: shardLosses[pass.shards]))
      clock.enter(.backward, part: setup.shape.parts.count - 1)
      model.backward(
        sharded.input, step: step, gradient: memory.gradient(0), subtreeStride: memory.count,
        runs: isLast ? reducer.runs : 1, between: { if isLast { reducer.poll() } },
        written: { part, numbers in if isLast { reducer.submit(part: part, first: numbers) } }
      ) { part in
        if isLast { submit(part) }
        if part > 0 { clock.enter(.backward, part: part - 1) }
      }
    }
  }

  private func submit(_ part: Int) {
    reductionOrder = reductionOrder &* 0x9E37_79B1_85EB_CA87 &+ UInt64(part + 1)
    clock.enter(.submit, part: part)
    reducer.submit(part: part, rowsSeen: part == 0 ? sharded.model.tokensSeen : [])
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
