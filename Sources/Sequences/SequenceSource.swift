/// Batches of sequences, each a pure function of its step: any rank can ask for any lanes of any step and gets the
/// same, with no communication.
package protocol SequenceSource: Sendable {
  /// B, sequences in the global batch.
  var globalBatch: Int { get }
  /// T, timesteps of a window; shorter sequences are padded.
  var timesteps: Int { get }
  /// Steps that see all of the data once.
  var stepsPerEpoch: Int { get }
  /// True where a lane begins this step with a hidden state of zero; false where it goes on from the step before.
  func startsFresh(atStep step: Int, lane: Int) -> Bool
  /// Timesteps of this step's window, at most T: lanes go on from the state behind them. Behind them is padding.
  func windowSteps(atStep step: Int) -> Int
  /// What the learning rate of this step is multiplied by.
  func learningRateFactor(atStep step: Int) -> Double
  /// Targets other than `noTarget` in the whole global batch of this step: the divisor of its loss.
  func targetCount(atStep step: Int) -> Int
  /// Writes the step's inputs, targets and lengths for a contiguous range of the batch's lanes.
  /// - Precondition: `batch` has room for T timesteps of these lanes, of the kind that the source makes.
  func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch)
}

extension SequenceSource {
  /// T: every window is as long as there is room.
  package func windowSteps(atStep step: Int) -> Int { timesteps }

  /// 1: every step counts alike.
  package func learningRateFactor(atStep step: Int) -> Double { 1 }

  /// Traps on a step, lanes or memory that break the contract of `fill` for a source of tokens with a target at every
  /// timestep.
  func checkFill(step: Int, lanes: Range<Int>, _ batch: SequenceBatch) {
    precondition(step >= 0 && lanes.lowerBound >= 0 && lanes.upperBound <= globalBatch, "no such step or lanes")
    precondition(
      batch.tokens.count == timesteps * lanes.count && batch.targets.count == batch.tokens.count
        && batch.lengths.count == lanes.count, "the batch must hold tokens and targets of T · lanes places")
  }
}
