import Timing

/// What came of a step of training.
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
