/// What a run has been through because of numbers that were not finite. It decides how the run goes on, so it is part
/// of its state: the same on every rank, and saved in checkpoints.
package struct Setbacks: Equatable, Sendable {
  /// Steps without an update since the start of the run.
  package var skipped = 0
  /// Steps without an update since the last one with.
  package var skippedInARow = 0
  /// Rollbacks since the start of the run.
  package var rollbacks = 0
  /// What the learning rate is multiplied by.
  package var learningRateFactor = 1.0

  /// Those of a run that has just begun.
  package init() {}
}

extension Setbacks {
  /// For the ranks and the checkpoint: skipped, skipped in a row, rollbacks.
  var counts: [Int] { [skipped, skippedInARow, rollbacks] }

  init(counts: [Int], learningRateFactor: Double) {
    (skipped, skippedInARow, rollbacks) = (counts[0], counts[1], counts[2])
    self.learningRateFactor = learningRateFactor
  }
}
