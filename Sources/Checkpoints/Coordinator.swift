/// Decides what rank 0 does next. A pure state machine: events go in, actions come out; it reads no clock and no file.
///
/// State and event → legal successors (n: completed steps)
///
/// - `idle`, started → `training(n)`; `evaluating(n)` where no steps are left but the end is not recorded;
///   `stopped(0)` where it is
/// - `training(n)`, stepCompleted(n + 1) → `evaluating`, `checkpointing` or `training`, all of n + 1;
///   `stopped(76)` where the numbers are not finite
/// - `evaluating(n)`, evaluationCompleted → `checkpointing(n)`, `training(n)`; `finishing(n)` where the last step's
///   checkpoint stood before the program started
/// - `checkpointing(n)`, checkpointWritten → `training(n)`; at the end `finishing(n)`; after a stop request
///   `stopped(75)`
/// - `checkpointing(n)`, checkpointFailed → `training(n)`; at the end or after a stop request `stopped(74)`;
///   `stopped(76)` where a value to be saved is not finite
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

    /// - Precondition: no number is negative.
    public init(totalSteps: Int, evaluateEvery: Int, checkpointEvery: Int) {
      precondition(totalSteps >= 0 && evaluateEvery >= 0 && checkpointEvery >= 0)
      self.totalSteps = totalSteps
      self.evaluateEvery = evaluateEvery
      self.checkpointEvery = checkpointEvery
    }
  }

  /// What has happened.
  public enum Event: Equatable, Sendable {
    /// The run begins anew, or goes on from the checkpoint of a step; `finishRecorded`: its metrics hold the record that
    /// it finished at that step.
    case started(resumedFrom: Int?, finishRecorded: Bool)
    /// A step of training is done; `isFinite`: so are its loss and its gradient.
    case stepCompleted(step: Int, isFinite: Bool)
    /// `evaluate` is done, also where there is nothing to evaluate on.
    case evaluationCompleted
    /// `writeCheckpoint` is done.
    case checkpointWritten
    /// `writeCheckpoint` failed.
    case checkpointFailed(CheckpointError)
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
    /// Loss or gradient are infinite or NaN.
    case diverged(step: Int)
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

  /// A coordinator of a run that has not started.
  public init(policy: Policy) { self.policy = policy }

  /// Takes an event. The answer is any number of `log` and then one other action, or nothing after `stopRequested`.
  public mutating func receive(_ event: Event) -> [Action] {
    switch (state, event) {
    case (_, .stopRequested(let reason)):
      stopReason = stopReason ?? reason
      return []
    case (.idle, .started(let resumedFrom, let finishRecorded)):
      return start(resumedFrom, finishRecorded)
    case (.training(let step), .stepCompleted(let completed, let isFinite)) where completed == step + 1:
      return isFinite ? proceed(completed) : stop(76, .diverged(step: completed))
    case (.evaluating(let step), .evaluationCompleted):
      evaluatedStep = step
      return proceed(step)
    case (.checkpointing(let step), .checkpointWritten):
      savedStep = step
      return proceed(step)
    case (.checkpointing(let step), .checkpointFailed(let error)):
      return checkpointFailed(step, error)
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
    return step < policy.totalSteps ? train(after: step) : proceed(step)
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
      state = .checkpointing(step: step)
      return [.writeCheckpoint(step: step)]
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

  private mutating func checkpointFailed(_ step: Int, _ error: CheckpointError) -> [Action] {
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
    case .diverged(let step): "loss or gradient is infinite or NaN at step \(step)"
    case .checkpointFailed(let step, let error, let goesOn):
      "no checkpoint of step \(step)\(goesOn ? ", training goes on" : ""): \(error.message)"
    case .stoppedOnRequest(let step, let reason):
      "stopped after step \(step) (\(reason)); the same command goes on from there"
    case .unexpected(let event, let state): "event \(event) is not legal in state \(state)"
    }
  }
}
