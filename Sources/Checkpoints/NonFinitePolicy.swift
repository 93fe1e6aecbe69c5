/// What follows a step whose loss or gradient is infinite or NaN. Such a step never changes a parameter.
public enum NonFinitePolicy: Equatable, Sendable {
  /// The run stops.
  case stop
  /// The run goes on with the next step, as though the batch had not been there; at most so many times in a row.
  case skip(inARow: Int)
  /// The run goes back to its newest valid checkpoint, and from there on the learning rate is multiplied by this
  /// factor, which adds up; at most so many times.
  case rollBack(times: Int, learningRateFactor: Double)
}

/// What a run has been through because of numbers that were not finite. It decides how the run goes on, so it is part
/// of its state: the same on every rank, and saved in checkpoints.
public struct Setbacks: Equatable, Sendable {
  /// Steps without an update since the start of the run.
  public var skipped = 0
  /// Steps without an update since the last one with.
  public var skippedInARow = 0
  /// Rollbacks since the start of the run.
  public var rollbacks = 0
  /// What the learning rate is multiplied by.
  public var learningRateFactor = 1.0

  /// Those of a run that has just begun.
  public init() {}
}
