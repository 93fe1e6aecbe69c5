import Configuration

extension Coordinator {
  /// When to do what: all that the coordinator knows of the configuration. Intervals count steps; 0 means only at the
  /// end.
  package struct Policy: Equatable, Sendable {
    /// Steps from the start of the run to its end.
    package let totalSteps: Int
    /// Steps between evaluations.
    private let evaluateEvery: Int
    /// Steps between checkpoints.
    private let checkpointEvery: Int
    /// What follows a step whose loss or gradient is not finite.
    package let nonFinite: NonFinitePolicy

    /// - Precondition: no number is negative.
    package init(totalSteps: Int, evaluateEvery: Int, checkpointEvery: Int, nonFinite: NonFinitePolicy = .stop) {
      precondition(totalSteps >= 0 && evaluateEvery >= 0 && checkpointEvery >= 0)
      self.totalSteps = totalSteps
      self.evaluateEvery = evaluateEvery
      self.checkpointEvery = checkpointEvery
      self.nonFinite = nonFinite
    }

    package init(_ configuration: Configuration) {
      let training = configuration.training
      self.init(
        totalSteps: training.steps, evaluateEvery: training.evaluateEvery, checkpointEvery: training.checkpointEvery,
        nonFinite: NonFinitePolicy(configuration.nonFinite))
    }

    /// Whether an evaluation is due after a step.
    func isEvaluationDue(_ step: Int) -> Bool { step == totalSteps || evaluationCounts(step) }

    /// Whether the evaluation after a step may decide how the run goes on. One at the end of the run alone decides
    /// nothing: a longer run would not have made it.
    func evaluationCounts(_ step: Int) -> Bool { evaluateEvery > 0 && step % evaluateEvery == 0 }

    /// Whether a checkpoint is due after a step.
    func isCheckpointDue(_ step: Int) -> Bool {
      step == totalSteps || checkpointEvery > 0 && step % checkpointEvery == 0
    }
  }
}

/// What follows a step whose loss or gradient is infinite or NaN. Such a step never changes a parameter.
package enum NonFinitePolicy: Equatable, Sendable {
  /// The run stops.
  case stop
  /// The run goes on with the next step, as though the batch had not been there; at most `inARow` times in a row.
  case skip(inARow: Int)
  /// The run goes back to its newest valid checkpoint, and from there on the learning rate is multiplied by this
  /// factor, which adds up; at most `times` times.
  case rollBack(times: Int, learningRateFactor: Double)

  package init(_ choice: Configuration.NonFinite) {
    switch choice.policy {
    case .stop: self = .stop
    case .skip: self = .skip(inARow: choice.skips)
    case .rollback: self = .rollBack(times: choice.rollbacks, learningRateFactor: choice.learningRateFactor)
    }
  }
}
