import DataParallel
import Problems
import TrainingLoop

/// What the coordinator answers to every event in every state: the rows, and the words in which they are written.
enum CoordinatorTable {
  typealias Event = Coordinator.Event
  typealias Action = Coordinator.Action
  typealias State = Coordinator.State

  static let disk = Problem(.inputOutput, "write failed", expected: "success", got: "no space", at: "model")
  static let nan = Problem(.diverged, "value cannot be saved", expected: "finite", got: "NaN", at: "model")

  /// Every event, where `step` is the number that `stepCompleted` names.
  static func events(step: Int) -> [Event] {
    [
      .started(.anew), resumed(4),
      resumed(6), resumed(6, finishRecorded: true),
      resumed(7),
      resumed(4, .notYet),
      resumed(4, isExhausted: true),
      resumed(4, finishRecorded: true, isExhausted: true), lastEvaluated, done(step),
      bad(step), done(step + 1), .stepAbandoned, evaluated, .evaluationAbandoned,
      .stateCopied, .checkpointWritten, .checkpointFailed(disk), .checkpointFailed(nan), .checkpointUnderWay,
      .checkpointRequested, stop, .stopRequested(.timeLimit), .finished, .rolledBack(to: 3, .nothingHeldOut),
    ]
  }

  /// Which of `events` are legal, and what each leads to. Policy: 6 steps, evaluation every 2, checkpoint every 3.
  struct Row {
    let name: String
    var nonFinite = NonFinitePolicy.stop
    /// Before the script.
    var setbacks = Setbacks()
    let script: [Event]
    let state: State
    let legal: [(Event, State, [Action])]
  }

  /// Steps that complete, and what is due there; every checkpoint stands at once.
  static func steps(_ range: ClosedRange<Int>) -> [Event] {
    range.flatMap { step -> [Event] in
      [done(step)] + (step % 2 == 0 ? [evaluated] : [])
        + (step % 3 == 0 ? [.stateCopied, .checkpointWritten] : [])
    }
  }

  static let start = Event.started(.anew)
  static func resumed(
    _ step: Int, _ evaluated: Coordinator.Evaluated = .loss(2), finishRecorded: Bool = false, isExhausted: Bool = false
  ) -> Event {
    .started(.resumed(step: step, evaluated, finishRecorded: finishRecorded, isExhausted: isExhausted))
  }
  static let evaluated = Event.evaluationCompleted(.loss(1))
  static let lastEvaluated = Event.lastEvaluationCompleted(loss: 1)
  static let stop = Event.stopRequested(.stopFile)
  static let skip = NonFinitePolicy.skip(inARow: 2)
  static let rollBack = NonFinitePolicy.rollBack(times: 2, learningRateFactor: 0.5)
  static let request = Event.checkpointRequested
  static func isRequest(_ event: Event) -> Bool {
    switch event {
    case .stopRequested, .checkpointRequested: true
    default: false
    }
  }
  static func done(_ step: Int) -> Event { .stepCompleted(step: step, isFinite: true) }
  static func bad(_ step: Int) -> Event { .stepCompleted(step: step, isFinite: false) }
  static func failed(_ step: Int, _ error: Problem, _ goesOn: Bool) -> Action {
    .log(.checkpointFailed(step: step, error, goesOn: goesOn))
  }

  /// A step whose numbers are not finite ends the run.
  static func diverges(_ step: Int) -> (Event, State, [Action]) {
    (bad(step), .stopped(exitCode: 76), [.log(.diverged(step: step, .stop)), .stop(exitCode: 76)])
  }

  /// An evaluation ends the run before its last step.
  static func endsTheRun(_ step: Int, _ state: State) -> (Event, State, [Action]) {
    let action = if case .copying = state { Action.copyState(step: step) } else { Action.awaitCheckpoint(step: step) }
    return (lastEvaluated, state, [.log(.exhausted(step: step)), action])
  }

  /// The run goes back, for the so-many-th time.
  static func goesBack(_ step: Int, _ number: Int) -> [Action] {
    [.log(.rollingBack(step: step, number: number, of: 2)), .rollBack(from: step)]
  }

  /// The end of a checkpoint that nobody waits for, in a state that stays as it is.
  static func endsBeside(_ state: State, _ step: Int) -> [(Event, State, [Action])] {
    [
      (.checkpointWritten, state, []), (.checkpointFailed(disk), state, [failed(step, disk, true)]),
      (.checkpointFailed(nan), state, [failed(step, nan, false)]),
    ]
  }

  /// The checkpoint of step 3 is being written while the next step is under way.
  static let writing = [start] + steps(1...2) + [done(3), .stateCopied]

  /// What the training has counted when an event comes.
  static func count(_ event: Event, _ setbacks: inout Setbacks) {
    switch event {
    case .stepCompleted(_, let isFinite): setbacks.skippedInARow = isFinite ? 0 : setbacks.skippedInARow + 1
    case .rolledBack: setbacks.rollbacks += 1
    default: break
    }
  }

  static func setbacks(skippedInARow: Int = 0, rollbacks: Int = 0) -> Setbacks {
    var setbacks = Setbacks()
    (setbacks.skippedInARow, setbacks.rollbacks) = (skippedInARow, rollbacks)
    return setbacks
  }

  static let rows = finiteRows + nonFiniteRows
}
