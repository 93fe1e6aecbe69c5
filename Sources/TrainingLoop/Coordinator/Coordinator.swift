import DataParallel
import Problems

/// Decides what rank 0 does next. A pure state machine: events go in, actions come out; it reads no clock and no file.
///
/// State and event → legal successors (n: completed steps)
///
/// - `idle`, started → `training(n)`; `evaluating(n)` where no steps are left but the end is not recorded, or where the
///   evaluation of step n is due and not in its checkpoint; `stopped(0)` where the end is recorded; `copying(0)` at the
///   start of a run that may have to go back
/// - `training(n)`, stepCompleted(n + 1) → `evaluating`, `copying`, `awaiting` or `training`, all of n + 1; where the
///   numbers are not finite, by the policy the same, or `stopped(76)` or `rollingBack(n + 1)`, and before these two
///   `awaiting(n + 1)` where a checkpoint is being written
/// - `training(n)`, stepAbandoned, and `evaluating(n)`, evaluationAbandoned, after a stop request → `copying(n)`,
///   `awaiting(n)`, or `stopped(75)` where the checkpoint of n stands
/// - `evaluating(n)`, evaluationCompleted → `copying(n)`, `awaiting(n)`, `training(n)`; `finishing(n)` where the last
///   step's checkpoint stood before the program started; lastEvaluationCompleted → the same as at the last step
/// - `copying(n)`, stateCopied → `training(n)`; at the end, after a stop request and after a rollback `awaiting(n)`
/// - `awaiting(n)`, checkpointUnderWay → `awaiting(n)`
/// - `awaiting(n)`, checkpointWritten or checkpointFailed → `copying(n)` where the checkpoint was of an earlier step;
///   at the end `finishing(n)`, after a stop request `stopped(75)`, without the checkpoint `stopped(74)`; after a
///   rollback `training(n)`
/// - `rollingBack(n)`, rolledBack(m) → `copying(m)`: what the rollback has changed is saved at once
/// - `finishing(n)`, finished → `stopped(0)`
/// - `stopped(code)` → none
///
/// A checkpoint is copied in memory and then written while training goes on, one at a time. `checkpointWritten` and
/// `checkpointFailed` are legal in `training` and `evaluating` too as long as one is being written; no action answers
/// them there. One that is due by its step waits for the previous one; one that was requested does not come before that
/// one has ended. Where a value to be saved was not finite the run stops with 76, or goes back by the policy, as soon
/// as the action under way has completed.
///
/// `stopRequested` and `checkpointRequested` are legal in every state and answer with no action: they take effect when
/// the step or evaluation under way has completed or been abandoned. Any other event that is not in the table is a
/// mistake of the program: `stopped(70)`, except that a run which has stopped keeps its code.
///
/// At one step the evaluation comes before the checkpoint, so that a resumed run need not repeat it. A stop request
/// omits the evaluation, for the time left may be short; the next start makes up for it.
package struct Coordinator: Sendable {
  /// When to do what.
  package let policy: Policy
  /// Where the run is.
  package private(set) var state = State.idle
  /// Why the run is to stop, where it is.
  private var stopReason: StopReason?
  /// The step of the checkpoint that is being written.
  private var writingStep: Int?
  /// The step of the newest checkpoint that was begun, or from which the run went on.
  private var copiedStep: Int?
  /// The step of the newest checkpoint that stands.
  private var savedStep: Int?
  /// Whether one is due for another reason than its step.
  private var isCheckpointRequested = false
  /// Whether the newest checkpoint failed, and the user knows.
  private var isFailureKnown = false
  /// Whether the run is to stop, or to go back, for numbers that are not finite.
  private var hasDiverged = false
  /// Whether the checkpoint that is being written holds what a rollback has changed.
  private var savesRollback = false
  /// Whether evaluations have ended the run.
  private var isExhausted = false
  /// The last step whose evaluation is known or not needed, and what is known.
  private var lastEvaluation: (step: Int, result: Evaluated)?
  /// The argument of `receive`: the training counts setbacks, the coordinator does not.
  private var setbacks = Setbacks()

  /// A coordinator of a run that has not started.
  package init(policy: Policy) { self.policy = policy }

  /// The loss of the last evaluation; nil where there has been none.
  package var validationLoss: Double? {
    if case .loss(let loss) = lastEvaluation?.result { loss } else { nil }
  }

  /// The loss of the evaluation after this step; nil where there has been none.
  package func validationLoss(step: Int) -> Double? { evaluatedStep == step ? validationLoss : nil }

  private var evaluatedStep: Int? { lastEvaluation?.step }

  /// Whether a checkpoint is being written.
  package var isWriting: Bool { writingStep != nil }

  /// Takes an event. The answer is any number of `log` and then one other action, or no action after `stopRequested`,
  /// `checkpointRequested`, and the end of a checkpoint that is not awaited.
  /// - Parameter setbacks: the training's; a step that was not finite and a rollback are counted before their event.
  package mutating func receive(_ event: Event, _ setbacks: Setbacks) -> [Action] {
    self.setbacks = setbacks
    switch (state, event) {
    case (_, .stopRequested(let reason)):
      stopReason = stopReason ?? reason
      return []
    case (_, .checkpointRequested):
      isCheckpointRequested = true
      return []
    case (_, .checkpointWritten) where expectsEndOfWriting:
      (savedStep, writingStep, isFailureKnown, savesRollback) = (writingStep, nil, false, false)
      return proceedIfAwaiting()
    case (_, .checkpointFailed(let error, let isInPlace)) where expectsEndOfWriting:
      return checkpointFailed(error, isInPlace: isInPlace)
    case (.idle, .started(.anew)):
      return startAnew()
    case (.idle, .started(.resumed(let step, let evaluated, let finishRecorded, let ends))):
      isExhausted = ends
      return resume(step, evaluated, finishRecorded: finishRecorded)
    case (.training(let step), .stepCompleted(let completed, let isFinite)) where completed == step + 1:
      return isFinite ? proceed(completed) : notFinite(completed)
    case (.training(let step), .stepAbandoned) where stopReason != nil:
      // A checkpoint of the step that failed before is tried once more.
      if !isWriting, savedStep != step { copiedStep = nil }
      return proceed(step)
    case (.evaluating(let step), .evaluationAbandoned) where stopReason != nil:
      return proceed(step)
    case (.evaluating(let step), .evaluationCompleted(let result)):
      lastEvaluation = (step, result)
      return proceed(step)
    case (.evaluating(let step), .lastEvaluationCompleted(let loss)):
      (lastEvaluation, isExhausted) = ((step, .loss(loss)), true)
      return (step < policy.totalSteps ? [.log(.exhausted(step: step))] : []) + proceed(step)
    case (.copying(let step), .stateCopied):
      return proceed(step)
    case (.awaiting, .checkpointUnderWay):
      return proceedIfAwaiting()
    case (.rollingBack, .rolledBack(let step, let evaluated)):
      take(evaluated, after: step)
      (savedStep, savesRollback) = (nil, true)
      // What ended the run came after the step, or the run would have ended there.
      isExhausted = false
      return copyState(step)
    case (.finishing, .finished):
      return stop(0)
    case (.stopped, _):
      return [.log(.unexpected(event, state))]
    default:
      return stop(70, .unexpected(event, state))
    }
  }

  private var expectsEndOfWriting: Bool {
    switch state {
    case .training, .evaluating, .awaiting: isWriting
    case .idle, .copying, .rollingBack, .finishing, .stopped: false
    }
  }

  private mutating func startAnew() -> [Action] {
    if isLast(0) { return proceed(0) }
    take(.notYet, after: 0)
    if case .rollBack = policy.nonFinite { return copyState(0) }
    return train(after: 0)
  }

  private mutating func resume(_ step: Int, _ evaluated: Evaluated, finishRecorded: Bool) -> [Action] {
    (copiedStep, savedStep) = (step, step)
    if step > policy.totalSteps || isLast(step) && finishRecorded { return stop(0, .alreadyFinished(step: step)) }
    if step < policy.totalSteps { take(evaluated, after: step) }
    return proceed(step)
  }

  /// The run goes on after this step. Before the first one no evaluation is due.
  private mutating func take(_ evaluated: Evaluated, after step: Int) {
    lastEvaluation = evaluated == .notYet && step > 0 ? nil : (step, evaluated)
  }

  /// What is to be done after a step has completed, one thing at a time: evaluation, checkpoint, then the way on.
  private mutating func proceed(_ step: Int) -> [Action] {
    if isWriting, hasDiverged || savesRollback { return awaitWriting(step) }
    if hasDiverged { return rollBackOrStop(step) }
    let isLast = isLast(step)
    if stopReason == nil, evaluatedStep != step, policy.isEvaluationDue(step) {
      state = .evaluating(step: step)
      return [.evaluate(step: step)]
    }
    let ends = isLast || stopReason != nil
    if copiedStep != step, ends || policy.isCheckpointDue(step) || isCheckpointRequested && !isWriting {
      return isWriting ? awaitWriting(step) : copyState(step)
    }
    guard ends else { return train(after: step) }
    if isWriting { return awaitWriting(step) }
    // Why there is none has been said.
    if savedStep != step { return stop(74) }
    if let stopReason, !isLast || evaluatedStep != step { return stop(75, .stoppedOnRequest(step: step, stopReason)) }
    state = .finishing(step: step)
    return [.finish(step: step)]
  }

  private func isLast(_ step: Int) -> Bool { step == policy.totalSteps || isExhausted }

  private mutating func train(after step: Int) -> [Action] {
    state = .training(step: step)
    return [.train(step: step + 1)]
  }

  private mutating func copyState(_ step: Int) -> [Action] {
    (copiedStep, writingStep, isCheckpointRequested) = (step, step, false)
    state = .copying(step: step)
    return [.copyState(step: step)]
  }

  private mutating func awaitWriting(_ step: Int) -> [Action] {
    state = .awaiting(step: step)
    return [.awaitCheckpoint(step: step)]
  }

  private mutating func proceedIfAwaiting() -> [Action] {
    if case .awaiting(let step) = state { proceed(step) } else { [] }
  }

  private mutating func notFinite(_ step: Int) -> [Action] {
    if case .skip(let most) = policy.nonFinite, setbacks.skippedInARow <= most {
      return [.log(.skipped(step: step, inARow: setbacks.skippedInARow, of: most))] + proceed(step)
    }
    hasDiverged = true
    return (mayRollBack ? [] : [.log(.diverged(step: step, policy.nonFinite))]) + proceed(step)
  }

  private var mayRollBack: Bool {
    if case .rollBack(let most, _) = policy.nonFinite { setbacks.rollbacks < most } else { false }
  }

  private mutating func rollBackOrStop(_ step: Int) -> [Action] {
    guard case .rollBack(let most, _) = policy.nonFinite, mayRollBack else { return stop(76) }
    hasDiverged = false
    state = .rollingBack(step: step)
    return [.log(.rollingBack(step: step, number: setbacks.rollbacks + 1, of: most)), .rollBack(from: step)]
  }

  private mutating func checkpointFailed(_ error: Problem, isInPlace: Bool) -> [Action] {
    guard let step = writingStep else { return [] }
    (writingStep, savesRollback) = (nil, false)
    hasDiverged = hasDiverged || error.exit == .diverged
    let diverges = hasDiverged && !mayRollBack
    let next = proceedIfAwaiting()
    let goesOn = if case .stopped = state { false } else { !diverges }
    if goesOn && isFailureKnown { return next }
    isFailureKnown = true
    return [.log(.checkpointFailed(step: step, error, goesOn: goesOn, isInPlace: isInPlace))] + next
  }

  private mutating func stop(_ exitCode: Int32, _ report: Report? = nil) -> [Action] {
    state = .stopped(exitCode: exitCode)
    return (report.map { [.log($0)] } ?? []) + [.stop(exitCode: exitCode)]
  }
}
