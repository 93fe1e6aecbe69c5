/// Decides what rank 0 does next. A pure state machine: events go in, actions come out; it reads no clock and no file.
///
/// State and event → legal successors (n: completed steps)
///
/// - `idle`, started → `training(n)`; `evaluating(n)` where no steps are left but the end is not recorded;
///   `stopped(0)` where it is; `checkpointing(0)` at the start of a run that may have to go back
/// - `training(n)`, stepCompleted(n + 1) → `evaluating`, `checkpointing` or `training`, all of n + 1; where the numbers
///   are not finite `stopped(76)`, or by the policy the same as where they are, or `rollingBack(n + 1)`
/// - `evaluating(n)`, evaluationCompleted → `checkpointing(n)`, `training(n)`; `finishing(n)` where the last step's
///   checkpoint stood before the program started
/// - `checkpointing(n)`, checkpointWritten → `training(n)`; at the end `finishing(n)`; after a stop request
///   `stopped(75)`
/// - `checkpointing(n)`, checkpointFailed → `training(n)`; at the end or after a stop request `stopped(74)`;
///   where a value to be saved is not finite `stopped(76)`, or by the policy `rollingBack(n)`
/// - `rollingBack(n)`, rolledBack(m) → `checkpointing(m)`: what the rollback has changed is saved at once
/// - `finishing(n)`, finished → `stopped(0)`
/// - `stopped(code)` → none
///
/// `stopRequested` is legal in every state and answers with no action: it takes effect when the step, evaluation or
/// checkpoint under way has completed. Any other event that is not in the table is a mistake of the program:
/// `stopped(70)`, except that a run which has stopped keeps its code.
///
/// At one step the evaluation comes before the checkpoint, so that a resumed run need not repeat it. A stop request
/// omits the evaluation, for the time left may be short; where that was the last step, the next start makes up for it.
public struct Coordinator: Sendable {
  /// When to do what. Intervals count steps; 0 means only at the end.
  public struct Policy: Equatable, Sendable {
    /// Steps from the start of the run to its end.
    public let totalSteps: Int
    /// Steps between evaluations.
    public let evaluateEvery: Int
    /// Steps between checkpoints.
    public let checkpointEvery: Int
    /// What follows a step whose loss or gradient is not finite.
    public let nonFinite: NonFinitePolicy

    /// - Precondition: no number is negative.
    public init(totalSteps: Int, evaluateEvery: Int, checkpointEvery: Int, nonFinite: NonFinitePolicy = .stop) {
      precondition(totalSteps >= 0 && evaluateEvery >= 0 && checkpointEvery >= 0)
      self.totalSteps = totalSteps
      self.evaluateEvery = evaluateEvery
      self.checkpointEvery = checkpointEvery
      self.nonFinite = nonFinite
    }
  }

  /// What has happened.
  public enum Event: Equatable, Sendable {
    /// The run begins anew, or goes on from the checkpoint of a step; `finishRecorded`: its metrics hold the record that
    /// it finished at that step; and what the checkpoint says of steps that were not finite.
    case started(resumedFrom: Int?, finishRecorded: Bool, skippedInARow: Int = 0, rollbacks: Int = 0)
    /// A step of training is done; `isFinite`: so are its loss and its gradient.
    case stepCompleted(step: Int, isFinite: Bool)
    /// `evaluate` is done, also where there is nothing to evaluate on.
    case evaluationCompleted
    /// `writeCheckpoint` is done.
    case checkpointWritten
    /// `writeCheckpoint` failed.
    case checkpointFailed(CheckpointError)
    /// `rollBack` is done: the run is where it was after this step.
    case rolledBack(to: Int)
    /// The run is to stop before its end; the first reason counts.
    case stopRequested(StopReason)
    /// `finish` is done.
    case finished
  }

  /// What to do.
  public enum Action: Equatable, Sendable {
    /// Train the step of this number, counted from 1, and answer with `stepCompleted`.
    case train(step: Int)
    /// Evaluate the parameters after this step, and answer with `evaluationCompleted`.
    case evaluate(step: Int)
    /// Write a checkpoint, and answer with `checkpointWritten` or `checkpointFailed`.
    case writeCheckpoint(step: Int)
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
  public enum Report: Equatable, Sendable {
    /// The run is complete: there is nothing to do.
    case alreadyFinished(step: Int)
    /// Loss or gradient are infinite or NaN, and the policy allows no other way than to stop.
    case diverged(step: Int, NonFinitePolicy)
    /// A step without an update: so many in a row now, of at most so many.
    case skipped(step: Int, inARow: Int, of: Int)
    /// All steps after the newest checkpoint are to be done again: for the so-many-th time, of at most so many.
    case rollingBack(step: Int, number: Int, of: Int)
    /// No checkpoint of this step; `goesOn`: training does.
    case checkpointFailed(step: Int, CheckpointError, goesOn: Bool)
    /// The run stops after this step, of which a checkpoint stands.
    case stoppedOnRequest(step: Int, StopReason)
    /// An event came that the state does not know.
    case unexpected(Event, State)
  }

  /// Where the run is. The numbers are completed steps.
  public enum State: Equatable, Sendable {
    /// Before `started`.
    case idle
    /// The step after this one is under way.
    case training(step: Int)
    /// An evaluation is under way.
    case evaluating(step: Int)
    /// A checkpoint is being written.
    case checkpointing(step: Int)
    /// The run goes back from this step.
    case rollingBack(step: Int)
    /// The end is being recorded.
    case finishing(step: Int)
    /// Over, with this exit code.
    case stopped(exitCode: Int32)
  }

  /// When to do what.
  public let policy: Policy
  /// Where the run is.
  public private(set) var state = State.idle
  /// Why the run is to stop, where it is.
  private var stopReason: StopReason?
  /// The step of the newest checkpoint.
  private var savedStep: Int?
  /// The last step that was evaluated.
  private var evaluatedStep: Int?
  /// Steps without an update since the last one with.
  private var skippedInARow = 0
  /// Rollbacks since the start of the run.
  private var rollbacks = 0

  /// A coordinator of a run that has not started.
  public init(policy: Policy) { self.policy = policy }

  /// Takes an event. The answer is any number of `log` and then one other action, or nothing after `stopRequested`.
  public mutating func receive(_ event: Event) -> [Action] {
    switch (state, event) {
    case (_, .stopRequested(let reason)):
      stopReason = stopReason ?? reason
      return []
    case (.idle, .started(let resumedFrom, let finishRecorded, let skippedInARow, let rollbacks)):
      (self.skippedInARow, self.rollbacks) = (skippedInARow, rollbacks)
      return start(resumedFrom, finishRecorded)
    case (.training(let step), .stepCompleted(let completed, let isFinite)) where completed == step + 1:
      guard isFinite else { return notFinite(completed) }
      skippedInARow = 0
      return proceed(completed)
    case (.evaluating(let step), .evaluationCompleted):
      evaluatedStep = step
      return proceed(step)
    case (.checkpointing(let step), .checkpointWritten):
      savedStep = step
      return proceed(step)
    case (.checkpointing(let step), .checkpointFailed(let error)):
      return checkpointFailed(step, error)
    case (.rollingBack, .rolledBack(let step)):
      // The evaluation of that step came before its checkpoint.
      evaluatedStep = step
      return save(step)
    case (.finishing, .finished):
      return stop(0)
    case (.stopped, _):
      return [.log(.unexpected(event, state))]
    default:
      return stop(70, .unexpected(event, state))
    }
  }

  private mutating func start(_ resumedFrom: Int?, _ finishRecorded: Bool) -> [Action] {
    savedStep = resumedFrom
    let step = resumedFrom ?? 0
    if resumedFrom != nil, step > policy.totalSteps || step == policy.totalSteps && finishRecorded {
      return stop(0, .alreadyFinished(step: step))
    }
    guard step < policy.totalSteps else { return proceed(step) }
    if resumedFrom == nil, case .rollBack = policy.nonFinite {
      evaluatedStep = 0
      return save(0)
    }
    return train(after: step)
  }

  /// What is to be done after a step has completed, one thing at a time: evaluation, checkpoint, then the way on.
  private mutating func proceed(_ step: Int) -> [Action] {
    let isLast = step == policy.totalSteps
    let isSaved = savedStep == step
    if stopReason == nil, evaluatedStep != step, isDue(step, every: policy.evaluateEvery) {
      state = .evaluating(step: step)
      return [.evaluate(step: step)]
    }
    if !isSaved, stopReason != nil || isDue(step, every: policy.checkpointEvery) {
      return save(step)
    }
    if isLast, evaluatedStep == step {
      state = .finishing(step: step)
      return [.finish(step: step)]
    }
    return stopReason.map { stop(75, .stoppedOnRequest(step: step, $0)) } ?? train(after: step)
  }

  private func isDue(_ step: Int, every interval: Int) -> Bool {
    step == policy.totalSteps || interval > 0 && step % interval == 0
  }

  private mutating func train(after step: Int) -> [Action] {
    state = .training(step: step)
    return [.train(step: step + 1)]
  }

  private mutating func save(_ step: Int) -> [Action] {
    state = .checkpointing(step: step)
    return [.writeCheckpoint(step: step)]
  }

  private mutating func notFinite(_ step: Int) -> [Action] {
    switch policy.nonFinite {
    case .skip(let most) where skippedInARow < most:
      skippedInARow += 1
      return [.log(.skipped(step: step, inARow: skippedInARow, of: most))] + proceed(step)
    case .rollBack(let most, _) where rollbacks < most:
      return rollBack(from: step, most)
    case .stop, .skip, .rollBack:
      return stop(76, .diverged(step: step, policy.nonFinite))
    }
  }

  private mutating func rollBack(from step: Int, _ most: Int) -> [Action] {
    rollbacks += 1
    state = .rollingBack(step: step)
    return [.log(.rollingBack(step: step, number: rollbacks, of: most)), .rollBack(from: step)]
  }

  private mutating func checkpointFailed(_ step: Int, _ error: CheckpointError) -> [Action] {
    if error.kind == .diverged, case .rollBack(let most, _) = policy.nonFinite, rollbacks < most {
      return [.log(.checkpointFailed(step: step, error, goesOn: true))] + rollBack(from: step, most)
    }
    let goesOn = error.kind != .diverged && step != policy.totalSteps && stopReason == nil
    let report = Report.checkpointFailed(step: step, error, goesOn: goesOn)
    if goesOn { return [.log(report)] + train(after: step) }
    return stop(error.kind == .diverged ? 76 : 74, report)
  }

  private mutating func stop(_ exitCode: Int32, _ report: Report? = nil) -> [Action] {
    state = .stopped(exitCode: exitCode)
    return (report.map { [.log($0)] } ?? []) + [.stop(exitCode: exitCode)]
  }
}

extension Coordinator.Report: CustomStringConvertible {
  /// One sentence for the user.
  public var description: String {
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
    case .checkpointFailed(let step, let error, let goesOn):
      "no checkpoint of step \(step)\(goesOn ? ", training goes on" : ""): \(error.message)"
    case .stoppedOnRequest(let step, let reason):
      "stopped after step \(step) (\(reason)); the same command goes on from there"
    case .unexpected(let event, let state): "event \(event) is not legal in state \(state)"
    }
  }
}
