import Optimization
import Sequences

/// The update of a step, and what decides about it: a function of the setup, of the updates and evaluations so far, and
/// of what the run has been through, all of which a checkpoint holds.
extension Training {
  /// What the rule's learning rate is multiplied by in a step, counted from 0.
  func learningRateFactor(_ step: Int, _ source: any SequenceSource) -> Double {
    setbacks.learningRateFactor * source.learningRateFactor(atStep: step)
      * setup.schedule.factor(update: step - setbacks.skipped, evaluations: evaluations)
  }

  /// The parameters after the reduction of a step: clipping, one update.
  func update(_ step: Int, norm: Double, learningRateFactor: Double) throws {
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

  /// An evaluation after so many steps has come to a loss, which counts where evaluations decide about anything; of
  /// several after the same step the first one does, as all are the same.
  package func evaluated(_ step: Int, loss: Double) {
    guard setup.dependsOnEvaluations, (evaluations.last?.step ?? 0) < step else { return }
    evaluations.append(Evaluation(step: step, loss: loss))
  }

  /// Whether so many evaluations have brought no new best loss that the run is to end.
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
