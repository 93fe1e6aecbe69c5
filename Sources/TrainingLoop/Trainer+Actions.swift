import DataParallel
import Problems
import Runs
import Timing

/// What each action of the coordinator means: every rank calls it, and it ends with the event that answers it.
extension Trainer {
  func train(_ step: Int) throws -> Coordinator.Event {
    stops.isFirstStep = times.steps == 0
    let result = try training.step(step - 1, source: source, stop: stopListener)
    stops.isFirstStep = false
    if result.isAbandoned { return .stepAbandoned }
    if result.isFinite { trainLoss = result.loss }
    lastStep = step
    training.clock.enter(.wait)
    let measured = try times.add(result.times)
    training.clock.enter(.coordination)
    let parameters = result.isFinite ? try verification.completed(step) : nil
    if let measured { try tell(step, result, measured.split, measured.slow, parameters) }
    if let finding = result.nonFinite { try count(finding) }
    return .stepCompleted(step: step, isFinite: result.isFinite)
  }

  private func tell(
    _ step: Int, _ result: StepResult, _ split: StepSplit, _ slow: SlowRank?, _ parameters: ParameterRecord?
  ) throws {
    let secondsPerStep = times.secondsPerStep
    try records.step(step, result, split)
    if let parameters, try records.parameters(parameters) { verification.written(parameters) }
    let totalSteps = coordinator.policy.totalSteps
    report(
      .step(
        step, of: totalSteps, result: result, split: split,
        tokensPerSecond: Double(source.targetCount(atStep: step - 1)) / secondsPerStep,
        secondsLeft: secondsPerStep * Double(totalSteps - step)))
    guard let slow else { return }
    try records.straggler(step: step, slow)
    report(.straggler(step: step, slow))
  }

  /// A step was not finite, and has left no trace yet: what it began with is dumped, then the step is counted.
  private func count(_ finding: NonFiniteFinding) throws {
    training.heartbeat?.enter(.saving, step: finding.step)
    let dump = try training.writeDump(
      finding, source: source, manifest: manifest(step: finding.step), to: directory, limit: dumps)
    training.countSkipped()
    guard isRoot else { return }
    try records.nonFinite(finding, dump: dump.path)
    report(.nonFinite(finding, ranks: world.communicator.size, dump: dump))
  }

  func evaluate(_ step: Int) throws -> Coordinator.Event {
    guard let validation else { return .evaluationCompleted(.nothingHeldOut) }
    training.clock.enter(.evaluation)
    training.heartbeat?.enter(.evaluating, step: step)
    let loss: Double
    do {
      loss = try training.evaluate(validation, stop: stopListener) { [heartbeat = training.heartbeat] _ in
        heartbeat?.enter(.evaluating, step: step)
      }
    } catch is StopListener.Abandoned {
      return .evaluationAbandoned
    }
    if coordinator.policy.evaluationCounts(step) { training.evaluated(step, loss: loss) }
    training.clock.enter(.coordination)
    if isRoot {
      try records.evaluated(step: step, validationLoss: loss)
      report(.evaluated(step: step, validationLoss: loss))
    }
    return training.isExhausted ? .lastEvaluationCompleted(loss: loss) : .evaluationCompleted(.loss(loss))
  }

  func copyState(_ step: Int) throws -> Coordinator.Event {
    try checkpoints.copy(manifest(step: step), trainLoss: trainLoss)
  }

  private func manifest(step: Int) -> Manifest {
    let position = step.quotientAndRemainder(dividingBy: source.stepsPerEpoch)
    return Manifest(
      step: step, dataPosition: DataPosition(epoch: position.quotient, stepInEpoch: position.remainder),
      seed: training.setup.seed, shards: training.setup.shards, configuration: configuration,
      parameterChain: verification.chain, validationLoss: coordinator.validationLoss(step: step))
  }

  func rollBack(from step: Int) throws -> Coordinator.Event {
    guard case .rollBack(_, let factor) = coordinator.policy.nonFinite else {
      preconditionFailure("the policy knows no way back")
    }
    training.heartbeat?.enter(.saving, step: step)
    training.clock.enter(.checkpoint)
    let newest = TrainingStart.resumed(checkpointToGoBackTo(from: step))
    let setbacks = training.setbacks
    if case .resumed(let source, _) = newest { trainLoss = try training.load(source) }
    training.setbacks.rollbacks = setbacks.rollbacks + 1
    training.setbacks.learningRateFactor = setbacks.learningRateFactor * factor
    try begin(newest)
    training.clock.enter(.coordination)
    if isRoot {
      try records.rolledBack(to: lastStep, from: step, training.setbacks)
      report(.rolledBack(step: lastStep, learningRateFactor: training.setbacks.learningRateFactor))
    }
    return .rolledBack(to: lastStep, evaluated(newest))
  }

  /// The newest valid one, on rank 0; where there is none the job ends.
  private func checkpointToGoBackTo(from step: Int) -> CheckpointSource {
    let search = world.agree { isRoot ? try directory.newestCheckpoint() : nil }
    if let search, !search.damaged.isEmpty { report(.damaged(search.damaged)) }
    return world.agree {
      guard isRoot else { return .root }
      if let newest = search?.newest { return .file(newest) }
      throw Problem(
        .diverged, "loss or gradient is infinite or NaN at step \(step)", expected: "a checkpoint to go back to",
        got: "none", at: directory.path)
    }
  }

  func finish(_ step: Int) throws -> Coordinator.Event {
    training.heartbeat?.enter(.finishing, step: step)
    guard isRoot else { return .finished }
    try followDirectory()
    let validationLoss = coordinator.validationLoss
    let saved = try directory.checkpoint(step: step)
    let sha256 = try saved.open(RunNames.model).parametersSHA256()
    try records.finished(
      step: step, trainLoss: trainLoss, validationLoss: validationLoss, parametersSHA256: sha256)
    report(
      .finished(step: step, trainLoss: trainLoss, validationLoss: validationLoss, parametersSHA256: sha256))
    return .finished
  }
}
