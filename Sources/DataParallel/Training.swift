import JobHealth
import LSTM
import MPI
import Optimization
import Plan
import Reduction
import Sequences
import Timing

/// What a step of training found out.
package struct StepResult: Sendable {
  /// Mean loss over the targets of the global batch, in nats.
  package let loss: Double
  /// Global norm of the gradient before clipping.
  package let gradientNorm: Double
  /// The learning rate of the step.
  package let learningRate: Double
  /// Where numbers went bad, if a number of them did: then parameters, moments and the states of the lanes have been
  /// left as they were. The same on every rank.
  package let nonFinite: NonFiniteFinding?
  /// Whether loss and gradient are finite.
  package var isFinite: Bool { nonFinite == nil }
  /// What this rank measured since the end of the step before.
  package let times: StepTimes
  /// Why the job is to stop, where a rank knows of a reason. A step that was abandoned has left no trace, and nothing
  /// else of its result counts. The same on every rank.
  package let stop: StopAgreement?
  /// Whether the step was abandoned.
  package var isAbandoned: Bool { stop?.isAbandoned == true }
}

/// One rank's part of synchronized training: its shards of every batch, and the parameters, which are the same on all
/// ranks after every step.
package final class Training {
  /// What is trained, and how.
  package let setup: TrainingSetup
  /// The model, and the rank's lanes.
  package let replica: Replica

  /// What this rank is about.
  package let clock: StepClock
  /// Which ranks share memory.
  package let sharing: NodeSharing

  package let world: World
  let reducer: any Reducer
  let optimizer: Optimizer
  package let memory: GradientMemory
  /// Where this rank says what it is about, if anywhere.
  package var heartbeat: Heartbeat?
  private let shardLosses: UnsafeMutableBufferPointer<Double>
  private var parameterGuard: ParameterGuard?
  private var snapshotMemory: Snapshot?
  /// What the run has been through because of numbers that were not finite.
  package var setbacks = Setbacks()
  /// The evaluations so far, where they decide how the training goes on. The same on every rank.
  package var evaluations: [Evaluation] = []
  /// A hash of the order in which parts have been handed to the reduction since the start of the program.
  package private(set) var reductionOrder: UInt64 = 0
  /// Parts of the gradient that have not been handed to the reduction of the step.
  private var unsubmitted = 0

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

  /// One synchronized step: forward, loss and backward through time, pass after pass over the rank's shards, with each
  /// part's reduction started as soon as the last pass has finished it; clipping, one update. `step` counts from 0.
  /// Where a rank finds by `stop` that the job is to stop, it abandons the step: it goes through the reduction with what
  /// it has, and no rank updates.
  package func step(_ step: Int, source: any SequenceSource, stop: StopListener? = nil) throws -> StepResult {
    heartbeat?.enter(.computing, step: step + 1)
    clock.beginStep(step + 1)
    if replica.model.dropsWeights {
      clock.enter(.packing)
      try replica.packRecurrent(step: step)
      clock.enter(.data)
    }
    let count = source.targetCount(atStep: step)
    let isAbandoned = computeGradient(step, source: source, targetCount: count, stop: stop)
    // No rank updates before all ranks have come to `finish`.
    clock.enter(.wait)
    heartbeat?.enter(.reducing, step: step + 1)
    let norm = try reducer.finish(
      ownShardValues: UnsafeBufferPointer(shardLosses), stopWord: stop?.word(isAbandoned: isAbandoned) ?? 0)
    clock.enter(.update)
    try stop?.agreed(reducer.stopWords)
    let loss = SummationTree.sum(0..<setup.shards) { reducer.shardValues[$0] } / Double(max(1, count))
    let factor = learningRateFactor(step, source)
    let finding: NonFiniteFinding? =
      stop?.agreement?.isAbandoned == true
      ? nil
      : try apply(step, norm: norm, loss: loss, learningRateFactor: factor, source: source, targetCount: count)
    clock.enter(.update)
    reducer.clearEmbedding()
    replica.model.clearEmbeddingGradient(memory.gradient(0), subtreeStride: memory.count)
    return StepResult(
      loss: loss, gradientNorm: norm, learningRate: setup.rule.learningRate * factor, nonFinite: finding,
      times: clock.endStep(), stop: stop?.agreement)
  }

  /// The gradient of the rank's shards, and its way to the reduction. Returns whether the step has been abandoned, with
  /// some of the gradient, which is then reduced like any other, since other ranks wait for it.
  private func computeGradient(
    _ step: Int, source: any SequenceSource, targetCount: Int, stop: StopListener?
  ) -> Bool {
    unsubmitted = setup.shape.parts.count
    // Requests are under way: an error must not unwind past them.
    do {
      let isAbandoned = try StopListener.isAbandoned {
        for pass in replica.passes { try run(pass, step: step, source: source, targetCount: targetCount, stop: stop) }
      }
      while unsubmitted > 0 { submit(unsubmitted - 1) }
      try parameterGuard?.check(replica.parameters, step: step)
      return isAbandoned
    } catch {
      world.fail(error)
    }
  }

  /// What follows from the reduced gradient of all ranks: an update, or where its numbers are not finite, a search for
  /// the first of them.
  private func apply(
    _ step: Int, norm: Double, loss: Double, learningRateFactor: Double, source: any SequenceSource, targetCount: Int
  ) throws -> NonFiniteFinding? {
    heartbeat?.enter(.updating, step: step + 1)
    replica.clearFreshStates(step, of: source)
    beginAveragingWhereDue(step)
    guard norm.isFinite && loss.isFinite else {
      return try findNonFinite(step: step, source: source, targetCount: targetCount)
    }
    try update(step, norm: norm, learningRateFactor: learningRateFactor)
    try replica.parametersChanged(clock: clock)
    parameterGuard?.updated(replica.parameters)
    setbacks.skippedInARow = 0
    replica.carryStates()
    return nil
  }

  /// After a step that was not finite: what is left of it is the count.
  package func countSkipped() {
    setbacks.skipped += 1
    setbacks.skippedInARow += 1
    // A state that came to be NaN would stay so for ever.
    replica.clearNonFiniteStates()
  }

  /// One pass: the gradient of its shards joins that of the passes before. With the last one a part is complete.
  private func run(
    _ pass: Replica.Pass, step: Int, source: any SequenceSource, targetCount: Int, stop: StopListener?
  ) throws {
    if pass.index > 0 { clock.enter(.data) }
    replica.begin(pass, of: source, step: step)
    clock.enter(.forward)
    func check() throws { try stop?.check() }
    try replica.forward(step: step, between: check)
    let model = replica.model
    let isLast = pass.index == replica.passes.count - 1
    for segment in model.segments.indices.reversed() {
      clock.enter(.forward)
      try replica.recompute(segment: segment, step: step, between: check)
      clock.enter(.loss)
      try model.loss(
        targets: replica.targets, scale: 1 / Float(max(1, targetCount)),
        shardLosses: UnsafeMutableBufferPointer(rebasing: shardLosses[pass.shards]), between: check)
      clock.enter(.backward, part: setup.shape.parts.count - 1)
      try model.backward(
        replica.input, step: step, gradient: memory.gradient(0), subtreeStride: memory.count,
        runs: isLast ? reducer.runs : 1,
        between: {
          if isLast { reducer.poll() }
          try check()
        },
        written: { part, numbers in if isLast { reducer.submit(part: part, first: numbers) } }
      ) { part in
        if isLast { submit(part) }
        if part > 0 { clock.enter(.backward, part: part - 1) }
      }
    }
  }

  /// Parts are finished from the last to the first.
  private func submit(_ part: Int) {
    precondition(part == unsubmitted - 1, "parts are submitted in their order")
    unsubmitted = part
    reductionOrder = reductionOrder &* 0x9E37_79B1_85EB_CA87 &+ UInt64(part + 1)
    clock.enter(.submit, part: part)
    reducer.submit(part: part, rowsSeen: part == 0 ? replica.model.tokensSeen : [])
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
