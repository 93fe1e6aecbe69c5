/// What follows a step whose loss or gradient is infinite or NaN. Such a step never changes a parameter.
package enum NonFinitePolicy: Equatable, Sendable {
  /// The run stops.
  case stop
  /// The run goes on with the next step, as though the batch had not been there; at most `inARow` times in a row.
  case skip(inARow: Int)
  /// The run goes back to its newest valid checkpoint, and from there on the learning rate is multiplied by this
  /// factor, which adds up; at most `times` times.
  case rollBack(times: Int, learningRateFactor: Double)
}
