import MPI
import Plan
import Sequences

/// One synchronized step: forward, loss, backward, reduce, update.
extension Training {
  /// What a step is about.
  struct Step {
    /// From 0.
    let index: Int
    let source: any SequenceSource
    /// Targets of the global batch.
    let targetCount: Int
    let stop: StopListener?

    /// Throws where the job is to stop.
    func check() throws { try stop?.check() }
  }

  /// One step over all ranks, `index` from 0: pass after pass over the rank's shards, with each part's reduction started
  /// as soon as the last pass has finished it; clipping, one update. Where a rank finds by `stop` that the job is to
  /// stop, it abandons the step: it goes through the reduction with what it has, and no rank updates.
  package func step(_ index: Int, source: any SequenceSource, stop: StopListener? = nil) throws -> StepResult {
    try begin(index)
    let step = Step(
      index: index, source: source, targetCount: source.targetCount(atStep: index), stop: stop)
    let isAbandoned = withRequestsUnderWay(step) {
      for pass in replica.passes {
        try forward(pass, step)
        for segment in replica.model.segments.indices.reversed() {
          try recompute(segment, step)
          try loss(pass, step)
          try backward(pass, step)
        }
      }
    }
    let reduced = try reduce(step, isAbandoned: isAbandoned)
    let rateFactor = learningRateFactor(step)
    let finding = try update(step, loss: reduced.loss, norm: reduced.norm, learningRateFactor: rateFactor)
    clearGradient()
    return StepResult(
      loss: reduced.loss, gradientNorm: reduced.norm, learningRate: setup.rule.learningRate * rateFactor,
      nonFinite: finding, times: clock.endStep(), stop: stop?.agreement)
  }

  private func begin(_ index: Int) throws {
    heartbeat?.enter(.computing, step: index + 1)
    clock.beginStep(index + 1)
    unsubmitted = setup.shape.parts.count
    guard replica.model.dropsWeights else { return }
    clock.enter(.packing)
    try replica.packRecurrent(step: index)
    clock.enter(.data)
  }

  /// Runs the passes. Returns whether the step has been abandoned, with some of the gradient, which is then submitted
  /// like any other, since other ranks wait for it. An error ends the job: it must not unwind past requests.
  private func withRequestsUnderWay(_ step: Step, _ passes: () throws -> Void) -> Bool {
    do {
      let isAbandoned = try StopListener.isAbandoned(passes)
      while unsubmitted > 0 { submit(unsubmitted - 1) }
      try parameterGuard?.check(replica.parameters, step: step.index)
      return isAbandoned
    } catch {
      world.fail(error)
    }
  }

  // MARK: Forward, loss, backward

  private func forward(_ pass: Replica.Pass, _ step: Step) throws {
    if pass.index > 0 { clock.enter(.data) }
    replica.begin(pass, of: step.source, step: step.index)
    clock.enter(.forward)
    try replica.forward(step: step.index, between: { try step.check() })
  }

  /// Nothing but for a window in several segments.
  private func recompute(_ segment: Int, _ step: Step) throws {
    clock.enter(.forward)
    try replica.recompute(segment: segment, step: step.index, between: { try step.check() })
  }

  private func loss(_ pass: Replica.Pass, _ step: Step) throws {
    clock.enter(.loss)
    try replica.model.loss(
      targets: replica.targets, scale: 1 / Float(max(1, step.targetCount)),
      shardLosses: UnsafeMutableBufferPointer(rebasing: shardLosses[pass.shards]), between: { try step.check() })
  }

  /// The gradient of the pass's shards joins that of the passes before. With the last one a part is complete.
  private func backward(_ pass: Replica.Pass, _ step: Step) throws {
    let isLast = pass.index == replica.passes.count - 1
    clock.enter(.backward, part: setup.shape.parts.count - 1)
    try replica.model.backward(
      replica.input, step: step.index, gradient: memory.gradient(0), subtreeStride: memory.count,
      runs: isLast ? earlyReducer?.runs ?? 1 : 1,
      between: {
        if isLast { reducer.poll() }
        try step.check()
      },
      written: { part, numbers in if isLast { earlyReducer?.submit(part: part, first: numbers) } }
    ) { part in
      if isLast { submit(part) }
      if part > 0 { clock.enter(.backward, part: part - 1) }
    }
  }

  // MARK: Reduce

  /// Parts are finished from the last to the first.
  private func submit(_ part: Int) {
    precondition(part == unsubmitted - 1, "parts are submitted in their order")
    unsubmitted = part
    reductionOrder = reductionOrder &* 0x9E37_79B1_85EB_CA87 &+ UInt64(part + 1)
    clock.enter(.submit, part: part)
    reducer.submit(part: part, rowsSeen: part == 0 ? replica.model.tokensSeen : [])
  }

  /// Waits for the sums over all ranks: the mean loss of the step, and the norm of its gradient. No rank updates before
  /// all have come here.
  private func reduce(_ step: Step, isAbandoned: Bool) throws -> (loss: Double, norm: Double) {
    clock.enter(.wait)
    heartbeat?.enter(.reducing, step: step.index + 1)
    let norm = try reducer.finish(
      ownShardValues: UnsafeBufferPointer(shardLosses), stopFlag: step.stop?.flag(isAbandoned: isAbandoned) ?? 0)
    clock.enter(.update)
    try step.stop?.agreed(reducer.stopFlags)
    let loss = SummationTree.sum(0..<setup.shards) { reducer.shardValues[$0] }
    return (loss / Double(max(1, step.targetCount)), norm)
  }

  /// The gradient of the embedding is +0.0 again, as the next step expects it.
  private func clearGradient() {
    clock.enter(.update)
    reducer.clearEmbedding()
    replica.model.clearEmbeddingGradient(memory.gradient(0), subtreeStride: memory.count)
  }
}
