import Optimization
import Sequences

/// The update of a step, and what decides about it: a function of the setup, of the updates and evaluations so far, and
/// of what the run has been through, all of which a checkpoint holds.
extension Training {
  /// What the rule's learning rate is multiplied by in a step.
  func learningRateFactor(_ step: Step) -> Double {
    setbacks.learningRateFactor * step.source.learningRateFactor(atStep: step.index)
      * setup.schedule.factor(update: step.index - setbacks.skipped, evaluations: evaluations)
  }

  /// What follows from the reduced gradient: new parameters, and the states behind the step for the next one; where loss
  /// or norm is not finite, a search for the first such number instead. Nothing of a step that a rank has abandoned.
  func update(_ step: Step, loss: Double, norm: Double, learningRateFactor: Double) throws -> NonFiniteFinding? {
    if step.stop?.agreement?.isAbandoned == true { return nil }
    heartbeat?.enter(.updating, step: step.index + 1)
    replica.clearFreshStates(step.index, of: step.source)
    beginAveragingWhereDue(step.index)
    guard norm.isFinite && loss.isFinite else { return try findNonFinite(step) }
    try updateParameters(step.index, norm: norm, learningRateFactor: learningRateFactor)
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

  /// Clipping, one update.
  private func updateParameters(_ step: Int, norm: Double, learningRateFactor: Double) throws {
    setup.clip.limitElements(of: reducer.sum, in: reducer.changedRanges)
    try optimizer.update(
      replica.parameters, gradient: reducer.sum + setup.shape.gradientShift,
      gradientScale: setup.clip.factor(norm: norm),
      step: step - setbacks.skipped, learningRateFactor: learningRateFactor,
      changed: setup.shape.isTied ? nil : reducer.changedRanges
    ) { blockSums in
      // Where parameters are not shared every rank owns, and has computed, all of them.
      if sharing.node != nil { try world.communicator.allReduce(blockSums, .maximum) }
    }
  }

  // MARK: Evaluations

  /// Mean loss over all targets of held-out data, of the model that a checkpoint would hold. `visit` as that of
  /// `Replica.evaluate`, and so `stop`.
  package func evaluate(
    _ validation: any SequenceSource, stop: StopListener? = nil,
    visit: (Replica.EvaluatedWindow) -> Void = { _ in }
  ) throws -> Double {
    try withAverage { try replica.evaluate(validation, stop: stop, visit: visit) }
  }

  /// Notes the loss of an evaluation after `step` steps, where evaluations decide about anything. Of several after the
  /// same step only the first is noted, as all are the same.
  package func evaluated(_ step: Int, loss: Double) {
    guard setup.dependsOnEvaluations, (evaluations.last?.step ?? 0) < step else { return }
    evaluations.append(Evaluation(step: step, loss: loss))
  }

  /// Whether the run is to end because the latest evaluations, `patience` of them, brought no new best loss.
  package var isExhausted: Bool { setup.patience > 0 && evaluations.sinceBest >= setup.patience }

  // MARK: The average

  /// Before the update of a step, counted from 0: the average begins with the parameters as they are.
  func beginAveragingWhereDue(_ step: Int) {
    guard optimizer.averaged == 0, setup.averaging.hasBegun(step: step, evaluations) else { return }
    optimizer.beginAveraging(replica.parameters)
  }

  /// In `body` the parameters are those of the model that the run comes to: their average, once it has begun. Every
  /// rank calls it.
  package func withAverage<Result>(_ body: () throws -> Result) throws -> Result {
    guard optimizer.averaged > 0 else { return try body() }
    try exchangeAverage()
    let result = Swift.Result { try body() }
    try exchangeAverage()
    return try result.get()
  }

  func exchangeAverage() throws {
    optimizer.exchangeAverage(replica.parameters)
    try replica.parametersChanged()
  }
}
