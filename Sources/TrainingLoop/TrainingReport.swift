import DataParallel
import Problems
import Runs
import Timing

/// What the trainer tells about its progress; on rank 0 alone.
package enum TrainingReport {
  /// The job is to stop: what is under way is abandoned, and the last completed step saved.
  case stopping(StopReason)
  /// A step is done.
  case step(Int, of: Int, result: StepResult, split: StepSplit, tokensPerSecond: Double, secondsLeft: Double)
  /// A rank has been behind for some time.
  case straggler(step: Int, SlowRank)
  /// The job's steps are over, for whatever reason: where their time went, and the slowest rank, if there are several.
  case times(StepSplit, slowest: SlowRank?)
  /// An evaluation is done: mean validation loss in nats a token.
  case evaluated(step: Int, validationLoss: Double)
  /// A checkpoint stands.
  case saved(step: Int, path: String)
  /// The run's directory has been renamed; the job goes on in it.
  case moved(from: String, to: String)
  /// Checkpoints that are superseded could not be removed; training goes on.
  case removalFailed(Problem)
  /// A record could not be written to the metrics; training goes on.
  case recordLost(Problem)
  /// Something that the coordinator wants the user to know.
  case coordinator(Coordinator.Report)
  /// A step was not finite: where its numbers went bad, and on which of how many ranks; and what became of its dump.
  case nonFinite(NonFiniteFinding, ranks: Int, dump: DumpOutcome)
  /// The run is back where it was after a step, with the learning rate multiplied by a factor.
  case rolledBack(step: Int, learningRateFactor: Double)
  /// Damaged checkpoints were passed over on the way back.
  case damaged([CheckpointSearch.Damaged])
  /// The run is complete.
  case finished(step: Int, trainLoss: Double?, validationLoss: Double?, parametersSHA256: String)
}
