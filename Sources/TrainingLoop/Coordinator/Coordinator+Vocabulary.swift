import DataParallel
import Problems

/// What the coordinator is told and says: events, actions, reports, states.
extension Coordinator {
  /// Where a job begins.
  package enum Start: Equatable, Sendable {
    /// Before the first step of a new run.
    case anew
    /// After the step of a checkpoint. `finishRecorded`: the metrics hold the record that the run finished at that
    /// step; `isExhausted`: evaluations ended it there.
    case resumed(step: Int, Evaluated, finishRecorded: Bool, isExhausted: Bool)
  }

  /// What is known of the evaluation after a step.
  package enum Evaluated: Equatable, Sendable {
    /// It has not been made.
    case notYet
    /// Its loss.
    case loss(Double)
    /// There is nothing to evaluate on.
    case nothingHeldOut
  }

  /// What has happened.
  package enum Event: Equatable, Sendable {
    /// The job begins.
    case started(Start)
    /// A step of training is done; `isFinite`: so are its loss and its gradient.
    case stepCompleted(step: Int, isFinite: Bool)
    /// `train` was abandoned, for the run is to stop: all is as it was before the step.
    case stepAbandoned
    /// `evaluate` was abandoned for the same reason.
    case evaluationAbandoned
    /// `evaluate` is done.
    case evaluationCompleted(Evaluated)
    /// The same, and its loss ends the run: for too long none has been better than all before.
    case lastEvaluationCompleted(loss: Double)
    /// `copyState` is done: the copy is being written.
    case stateCopied
    /// The checkpoint that was being written stands.
    case checkpointWritten
    /// The checkpoint that was being written failed; `isInPlace`: it is complete, but may not outlast a power failure.
    case checkpointFailed(Problem, isInPlace: Bool = false)
    /// The checkpoint that is awaited is still being written.
    case checkpointUnderWay
    /// A checkpoint is due for another reason than its step.
    case checkpointRequested
    /// `rollBack` is done: the run is where it was after this step.
    case rolledBack(to: Int, Evaluated)
    /// The run is to stop before its end; the first reason counts.
    case stopRequested(StopReason)
    /// `finish` is done.
    case finished
  }

  /// What to do.
  package enum Action: Equatable, Sendable {
    /// Train the step of this number, counted from 1, and answer with `stepCompleted`.
    case train(step: Int)
    /// Evaluate the parameters after this step, and answer with `evaluationCompleted`.
    case evaluate(step: Int)
    /// Copy what a checkpoint holds, begin to write it, and answer with `stateCopied`.
    case copyState(step: Int)
    /// Wait for the checkpoint that is being written, and answer with `checkpointWritten`, `checkpointFailed`, or in
    /// between with `checkpointUnderWay`.
    case awaitCheckpoint(step: Int)
    /// Go back from this step to the newest valid checkpoint, with a lower learning rate, and answer with `rolledBack`.
    case rollBack(from: Int)
    /// Record that the run has finished, and answer with `finished`.
    case finish(step: Int)
    /// End the program with this code.
    case stop(exitCode: Int32)
    /// Tell the user.
    case log(Report)
  }

  /// What the user should know.
  package enum Report: Equatable, Sendable {
    /// The run is complete: there is nothing to do.
    case alreadyFinished(step: Int)
    /// Loss or gradient are infinite or NaN, and the policy allows no other way than to stop.
    case diverged(step: Int, NonFinitePolicy)
    /// A step without an update: the `inARow`-th in a row, of at most `of`.
    case skipped(step: Int, inARow: Int, of: Int)
    /// All steps after the newest checkpoint are to be done again: for the `number`-th time, of at most `of`.
    case rollingBack(step: Int, number: Int, of: Int)
    /// No checkpoint of this step, or with `isInPlace` none that is sure to outlast a power failure; `goesOn`: training
    /// does. Of failures in a row the first is reported, and the one with which the run stops.
    case checkpointFailed(step: Int, Problem, goesOn: Bool, isInPlace: Bool = false)
    /// Evaluations end the run after this step.
    case exhausted(step: Int)
    /// The run stops after this step, of which a checkpoint stands.
    case stoppedOnRequest(step: Int, StopReason)
    /// An event came that the state does not know.
    case unexpected(Event, State)
  }

  /// Where the run is. The numbers are completed steps.
  package enum State: Equatable, Sendable {
    /// Before `started`.
    case idle
    /// The step after this one is under way.
    case training(step: Int)
    /// An evaluation is under way.
    case evaluating(step: Int)
    /// What a checkpoint holds is being copied.
    case copying(step: Int)
    /// Nothing goes on until the checkpoint that is being written stands or has failed.
    case awaiting(step: Int)
    /// The run goes back from this step.
    case rollingBack(step: Int)
    /// The end is being recorded.
    case finishing(step: Int)
    /// Over, with this exit code.
    case stopped(exitCode: Int32)
  }
}

extension Coordinator.Report: CustomStringConvertible {
  /// One sentence for the user.
  package var description: String {
    switch self {
    case .alreadyFinished(let step): "the run is complete at step \(step)"
    case .diverged(let step, .stop): "loss or gradient is infinite or NaN at step \(step)"
    case .diverged(let step, .skip(let most)):
      "loss or gradient is infinite or NaN at step \(step) and the \(most) before it"
    case .diverged(let step, .rollBack(let most, _)):
      "loss or gradient is infinite or NaN at step \(step), also after \(most) rollback\(most == 1 ? "" : "s")"
    case .skipped(let step, let inARow, let most):
      "step \(step) is skipped, parameters stay as they are (\(inARow) in a row of at most \(most))"
    case .rollingBack(let step, let number, let most):
      "step \(step) is undone: back to the newest checkpoint with a lower learning rate (\(number) of at most \(most) "
        + "times)"
    case .checkpointFailed(let step, let error, let goesOn, let isInPlace):
      (isInPlace ? "the checkpoint of step \(step) may not outlast a power failure" : "no checkpoint of step \(step)")
        + "\(goesOn ? ", training goes on" : ""): \(error.message)"
    case .exhausted(let step):
      "the run ends with step \(step): the validation loss has found no new minimum in training.patience evaluations"
    case .stoppedOnRequest(let step, let reason):
      "stopped after step \(step) (\(reason))"
    case .unexpected(let event, let state): "event \(event) is not legal in state \(state)"
    }
  }
}
