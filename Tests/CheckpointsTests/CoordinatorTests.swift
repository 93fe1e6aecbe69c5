import Checkpoints
import Testing

private typealias Event = Coordinator.Event
private typealias Action = Coordinator.Action
private typealias State = Coordinator.State

private let disk = CheckpointError(.inputOutput, "write failed", expected: "success", got: "no space", at: "model")
private let nan = CheckpointError(.diverged, "value cannot be saved", expected: "finite", got: "NaN", at: "model")

/// Every event, where `step` is the number that `stepCompleted` names.
private func events(step: Int) -> [Event] {
  [
    .started(resumedFrom: nil, finishRecorded: false), .started(resumedFrom: 4, finishRecorded: false),
    .started(resumedFrom: 6, finishRecorded: false), .started(resumedFrom: 6, finishRecorded: true),
    .started(resumedFrom: 7, finishRecorded: false), done(step), bad(step), done(step + 1), .evaluationCompleted,
    .stateCopied, .checkpointWritten, .checkpointFailed(disk), .checkpointFailed(nan), .checkpointUnderWay,
    .checkpointRequested, stop, .stopRequested(.timeLimit), .finished, .rolledBack(to: 3),
  ]
}

/// Which of `events` are legal, and what each leads to. Policy: 6 steps, evaluation every 2, checkpoint every 3.
private struct Row {
  let name: String
  var nonFinite = NonFinitePolicy.stop
  let script: [Event]
  let state: State
  let legal: [(Event, State, [Action])]
}

/// Steps that complete, and what is due there; every checkpoint stands at once.
private func steps(_ range: ClosedRange<Int>) -> [Event] {
  range.flatMap { step -> [Event] in
    [done(step)] + (step % 2 == 0 ? [.evaluationCompleted] : [])
      + (step % 3 == 0 ? [.stateCopied, .checkpointWritten] : [])
  }
}

private let start = Event.started(resumedFrom: nil, finishRecorded: false)
private let stop = Event.stopRequested(.stopFile)
private let skip = NonFinitePolicy.skip(inARow: 2)
private let rollBack = NonFinitePolicy.rollBack(times: 2, learningRateFactor: 0.5)
private let request = Event.checkpointRequested
private func isRequest(_ event: Event) -> Bool {
  switch event {
  case .stopRequested, .checkpointRequested: true
  default: false
  }
}
private func done(_ step: Int) -> Event { .stepCompleted(step: step, isFinite: true) }
private func bad(_ step: Int) -> Event { .stepCompleted(step: step, isFinite: false) }
private func failed(_ step: Int, _ error: CheckpointError, _ goesOn: Bool) -> Action {
  .log(.checkpointFailed(step: step, error, goesOn: goesOn))
}

/// A step whose numbers are not finite ends the run.
private func diverges(_ step: Int) -> (Event, State, [Action]) {
  (bad(step), .stopped(exitCode: 76), [.log(.diverged(step: step, .stop)), .stop(exitCode: 76)])
}

/// The run goes back, for the so-many-th time.
private func goesBack(_ step: Int, _ number: Int) -> [Action] {
  [.log(.rollingBack(step: step, number: number, of: 2)), .rollBack(from: step)]
}

/// The end of a checkpoint that nobody waits for, in a state that stays as it is.
private func endsBeside(_ state: State, _ step: Int) -> [(Event, State, [Action])] {
  [
    (.checkpointWritten, state, []), (.checkpointFailed(disk), state, [failed(step, disk, true)]),
    (.checkpointFailed(nan), state, [failed(step, nan, false)]),
  ]
}

/// The checkpoint of step 3 is being written while the next step is under way.
private let writing = [start] + steps(1...2) + [done(3), .stateCopied]

private let rows: [Row] = [
  Row(
    name: "idle", script: [], state: .idle,
    legal: [
      (start, .training(step: 0), [.train(step: 1)]),
      (.started(resumedFrom: 4, finishRecorded: false), .training(step: 4), [.train(step: 5)]),
      (.started(resumedFrom: 6, finishRecorded: false), .evaluating(step: 6), [.evaluate(step: 6)]),
      (
        .started(resumedFrom: 6, finishRecorded: true), .stopped(exitCode: 0),
        [.log(.alreadyFinished(step: 6)), .stop(exitCode: 0)]
      ),
      (
        .started(resumedFrom: 7, finishRecorded: false), .stopped(exitCode: 0),
        [.log(.alreadyFinished(step: 7)), .stop(exitCode: 0)]
      ),
    ]),
  Row(
    name: "training, nothing due", script: [start], state: .training(step: 0),
    legal: [(done(1), .training(step: 1), [.train(step: 2)]), diverges(1)]),
  Row(
    name: "training, evaluation due", script: [start] + steps(1...1), state: .training(step: 1),
    legal: [(done(2), .evaluating(step: 2), [.evaluate(step: 2)]), diverges(2)]),
  Row(
    name: "training, checkpoint due", script: [start] + steps(1...2), state: .training(step: 2),
    legal: [(done(3), .copying(step: 3), [.copyState(step: 3)]), diverges(3)]),
  Row(
    name: "training, checkpoint requested", script: [start, request, request], state: .training(step: 0),
    legal: [(done(1), .copying(step: 1), [.copyState(step: 1)]), diverges(1)]),
  Row(
    name: "training, stop requested", script: [start, stop, .stopRequested(.timeLimit)], state: .training(step: 0),
    legal: [(done(1), .copying(step: 1), [.copyState(step: 1)]), diverges(1)]),
  Row(
    name: "training beside a checkpoint, evaluation due", script: writing, state: .training(step: 3),
    legal: [
      (done(4), .evaluating(step: 4), [.evaluate(step: 4)]),
      (bad(4), .awaiting(step: 4), [.log(.diverged(step: 4, .stop)), .awaitCheckpoint(step: 4)]),
    ] + endsBeside(.training(step: 3), 3)),
  Row(
    name: "training beside a checkpoint, another requested", script: writing + steps(4...4) + [request],
    state: .training(step: 4),
    legal: [
      (done(5), .training(step: 5), [.train(step: 6)]),
      (bad(5), .awaiting(step: 5), [.log(.diverged(step: 5, .stop)), .awaitCheckpoint(step: 5)]),
    ] + endsBeside(.training(step: 4), 3)),
  Row(
    name: "training beside a checkpoint, stop requested", script: writing + steps(4...4) + [stop],
    state: .training(step: 4),
    legal: [
      (done(5), .awaiting(step: 5), [.awaitCheckpoint(step: 5)]),
      (bad(5), .awaiting(step: 5), [.log(.diverged(step: 5, .stop)), .awaitCheckpoint(step: 5)]),
    ] + endsBeside(.training(step: 4), 3)),
  Row(
    name: "training after a checkpoint that was not finite", script: writing + [.checkpointFailed(nan)],
    state: .training(step: 3),
    legal: [(done(4), .stopped(exitCode: 76), [.stop(exitCode: 76)]), diverges(4)]),
  Row(
    name: "training after a failure", script: writing + [.checkpointFailed(disk)] + steps(4...4),
    state: .training(step: 4), legal: [(done(5), .training(step: 5), [.train(step: 6)]), diverges(5)]),
  Row(
    name: "training after a failure, one more being written",
    script: writing + [.checkpointFailed(disk), request] + steps(4...4) + [.stateCopied], state: .training(step: 4),
    legal: [
      (done(5), .training(step: 5), [.train(step: 6)]),
      (bad(5), .awaiting(step: 5), [.log(.diverged(step: 5, .stop)), .awaitCheckpoint(step: 5)]),
      (.checkpointWritten, .training(step: 4), []), (.checkpointFailed(disk), .training(step: 4), []),
      (.checkpointFailed(nan), .training(step: 4), [failed(4, nan, false)]),
    ]),
  Row(
    name: "evaluating", script: [start] + steps(1...1) + [done(2)], state: .evaluating(step: 2),
    legal: [(.evaluationCompleted, .training(step: 2), [.train(step: 3)])]),
  Row(
    name: "evaluating, stop requested", script: [start] + steps(1...1) + [done(2), stop],
    state: .evaluating(step: 2), legal: [(.evaluationCompleted, .copying(step: 2), [.copyState(step: 2)])]),
  Row(
    name: "evaluating beside a checkpoint", script: writing + [done(4)], state: .evaluating(step: 4),
    legal: [(.evaluationCompleted, .training(step: 4), [.train(step: 5)])] + endsBeside(.evaluating(step: 4), 3)),
  Row(
    name: "evaluating at the end", script: [start] + steps(1...5) + [done(6)], state: .evaluating(step: 6),
    legal: [(.evaluationCompleted, .copying(step: 6), [.copyState(step: 6)])]),
  Row(
    name: "evaluating at the end beside a checkpoint", script: writing + steps(4...5) + [done(6)],
    state: .evaluating(step: 6),
    legal: [(.evaluationCompleted, .awaiting(step: 6), [.awaitCheckpoint(step: 6)])]
      + endsBeside(.evaluating(step: 6), 3)),
  Row(
    name: "evaluating what was saved before", script: [.started(resumedFrom: 6, finishRecorded: false)],
    state: .evaluating(step: 6), legal: [(.evaluationCompleted, .finishing(step: 6), [.finish(step: 6)])]),
  Row(
    name: "copying", script: [start] + steps(1...2) + [done(3)], state: .copying(step: 3),
    legal: [(.stateCopied, .training(step: 3), [.train(step: 4)])]),
  Row(
    name: "copying, stop requested", script: [start, stop, done(1)], state: .copying(step: 1),
    legal: [(.stateCopied, .awaiting(step: 1), [.awaitCheckpoint(step: 1)])]),
  Row(
    name: "copying at the end", script: [start] + steps(1...5) + [done(6), .evaluationCompleted],
    state: .copying(step: 6), legal: [(.stateCopied, .awaiting(step: 6), [.awaitCheckpoint(step: 6)])]),
  Row(
    name: "awaiting, stop requested", script: [start, stop, .stopRequested(.timeLimit), done(1), .stateCopied],
    state: .awaiting(step: 1),
    legal: [
      (.checkpointUnderWay, .awaiting(step: 1), [.awaitCheckpoint(step: 1)]),
      (
        .checkpointWritten, .stopped(exitCode: 75), [.log(.stoppedOnRequest(step: 1, .stopFile)), .stop(exitCode: 75)]
      ),
      (.checkpointFailed(disk), .stopped(exitCode: 74), [failed(1, disk, false), .stop(exitCode: 74)]),
      (.checkpointFailed(nan), .stopped(exitCode: 76), [failed(1, nan, false), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "awaiting an earlier one, stop requested", script: writing + steps(4...4) + [stop, done(5)],
    state: .awaiting(step: 5),
    legal: [
      (.checkpointUnderWay, .awaiting(step: 5), [.awaitCheckpoint(step: 5)]),
      (.checkpointWritten, .copying(step: 5), [.copyState(step: 5)]),
      (.checkpointFailed(disk), .copying(step: 5), [failed(3, disk, true), .copyState(step: 5)]),
      (.checkpointFailed(nan), .stopped(exitCode: 76), [failed(3, nan, false), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "awaiting after a step that was not finite", script: writing + [bad(4)], state: .awaiting(step: 4),
    legal: [
      (.checkpointUnderWay, .awaiting(step: 4), [.awaitCheckpoint(step: 4)]),
      (.checkpointWritten, .stopped(exitCode: 76), [.stop(exitCode: 76)]),
      (.checkpointFailed(disk), .stopped(exitCode: 76), [failed(3, disk, false), .stop(exitCode: 76)]),
      (.checkpointFailed(nan), .stopped(exitCode: 76), [failed(3, nan, false), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "awaiting at the end", script: [start] + steps(1...5) + [done(6), .evaluationCompleted, .stateCopied],
    state: .awaiting(step: 6),
    legal: [
      (.checkpointUnderWay, .awaiting(step: 6), [.awaitCheckpoint(step: 6)]),
      (.checkpointWritten, .finishing(step: 6), [.finish(step: 6)]),
      (.checkpointFailed(disk), .stopped(exitCode: 74), [failed(6, disk, false), .stop(exitCode: 74)]),
      (.checkpointFailed(nan), .stopped(exitCode: 76), [failed(6, nan, false), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "awaiting at the end, stop requested before its evaluation",
    script: [start] + steps(1...5) + [stop, done(6), .stateCopied], state: .awaiting(step: 6),
    legal: [
      (.checkpointUnderWay, .awaiting(step: 6), [.awaitCheckpoint(step: 6)]),
      (
        .checkpointWritten, .stopped(exitCode: 75), [.log(.stoppedOnRequest(step: 6, .stopFile)), .stop(exitCode: 75)]
      ),
      (.checkpointFailed(disk), .stopped(exitCode: 74), [failed(6, disk, false), .stop(exitCode: 74)]),
      (.checkpointFailed(nan), .stopped(exitCode: 76), [failed(6, nan, false), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "finishing",
    script: [start] + steps(1...5) + [done(6), .evaluationCompleted, .stateCopied, .checkpointWritten],
    state: .finishing(step: 6), legal: [(.finished, .stopped(exitCode: 0), [.stop(exitCode: 0)])]),
  Row(
    name: "skipping, the first in a row", nonFinite: skip, script: [start], state: .training(step: 0),
    legal: [
      (done(1), .training(step: 1), [.train(step: 2)]),
      (bad(1), .training(step: 1), [.log(.skipped(step: 1, inARow: 1, of: 2)), .train(step: 2)]),
    ]),
  Row(
    name: "skipping where something is due", nonFinite: skip, script: [start, bad(1)], state: .training(step: 1),
    legal: [
      (done(2), .evaluating(step: 2), [.evaluate(step: 2)]),
      (bad(2), .evaluating(step: 2), [.log(.skipped(step: 2, inARow: 2, of: 2)), .evaluate(step: 2)]),
    ]),
  Row(
    name: "skipping once more than allowed", nonFinite: skip, script: [start, bad(1), bad(2), .evaluationCompleted],
    state: .training(step: 2),
    legal: [
      (done(3), .copying(step: 3), [.copyState(step: 3)]),
      (bad(3), .stopped(exitCode: 76), [.log(.diverged(step: 3, skip)), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "skipping where a checkpoint is due beside another", nonFinite: skip,
    script: [start, request, done(1), .stateCopied, bad(2), .evaluationCompleted, bad(3)],
    state: .awaiting(step: 3),
    legal: [
      (.checkpointUnderWay, .awaiting(step: 3), [.awaitCheckpoint(step: 3)]),
      (.checkpointWritten, .copying(step: 3), [.copyState(step: 3)]),
      (.checkpointFailed(disk), .copying(step: 3), [failed(1, disk, true), .copyState(step: 3)]),
      (.checkpointFailed(nan), .stopped(exitCode: 76), [failed(1, nan, false), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "skipping after a step that was finite", nonFinite: skip,
    script: [start, bad(1), done(2), .evaluationCompleted], state: .training(step: 2),
    legal: [
      (done(3), .copying(step: 3), [.copyState(step: 3)]),
      (bad(3), .copying(step: 3), [.log(.skipped(step: 3, inARow: 1, of: 2)), .copyState(step: 3)]),
    ]),
  Row(
    name: "skipping after a resume", nonFinite: skip,
    script: [.started(resumedFrom: 4, finishRecorded: false, skippedInARow: 2)], state: .training(step: 4),
    legal: [
      (done(5), .training(step: 5), [.train(step: 6)]),
      (bad(5), .stopped(exitCode: 76), [.log(.diverged(step: 5, skip)), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "the start of a run that may go back", nonFinite: rollBack, script: [start], state: .copying(step: 0),
    legal: [(.stateCopied, .training(step: 0), [.train(step: 1)])]),
  Row(
    name: "training, may go back", nonFinite: rollBack, script: [start, .stateCopied, .checkpointWritten],
    state: .training(step: 0),
    legal: [(done(1), .training(step: 1), [.train(step: 2)]), (bad(1), .rollingBack(step: 1), goesBack(1, 1))]),
  Row(
    name: "training beside a checkpoint, may go back", nonFinite: rollBack, script: [start, .stateCopied],
    state: .training(step: 0),
    legal: [
      (done(1), .training(step: 1), [.train(step: 2)]),
      (bad(1), .awaiting(step: 1), [.awaitCheckpoint(step: 1)]),
      (.checkpointWritten, .training(step: 0), []),
      (.checkpointFailed(disk), .training(step: 0), [failed(0, disk, true)]),
      (.checkpointFailed(nan), .training(step: 0), [failed(0, nan, true)]),
    ]),
  Row(
    name: "training after a checkpoint that was not finite, may go back", nonFinite: rollBack,
    script: [start, .stateCopied, .checkpointFailed(nan)], state: .training(step: 0),
    legal: [
      (done(1), .rollingBack(step: 1), goesBack(1, 1)), (bad(1), .rollingBack(step: 1), goesBack(1, 1)),
    ]),
  Row(
    name: "awaiting the checkpoint to go back to", nonFinite: rollBack, script: [start, .stateCopied, bad(1)],
    state: .awaiting(step: 1),
    legal: [
      (.checkpointUnderWay, .awaiting(step: 1), [.awaitCheckpoint(step: 1)]),
      (.checkpointWritten, .rollingBack(step: 1), goesBack(1, 1)),
      (.checkpointFailed(disk), .rollingBack(step: 1), [failed(0, disk, true)] + goesBack(1, 1)),
      (.checkpointFailed(nan), .rollingBack(step: 1), [failed(0, nan, true)] + goesBack(1, 1)),
    ]),
  Row(
    name: "rolling back", nonFinite: rollBack, script: [.started(resumedFrom: 4, finishRecorded: false), bad(5)],
    state: .rollingBack(step: 5), legal: [(.rolledBack(to: 3), .copying(step: 3), [.copyState(step: 3)])]),
  Row(
    name: "copying what a rollback has changed", nonFinite: rollBack,
    script: [.started(resumedFrom: 4, finishRecorded: false), bad(5), .rolledBack(to: 4)],
    state: .copying(step: 4), legal: [(.stateCopied, .awaiting(step: 4), [.awaitCheckpoint(step: 4)])]),
  Row(
    name: "awaiting what a rollback has changed", nonFinite: rollBack,
    script: [.started(resumedFrom: 4, finishRecorded: false), bad(5), .rolledBack(to: 4), .stateCopied],
    state: .awaiting(step: 4),
    legal: [
      (.checkpointUnderWay, .awaiting(step: 4), [.awaitCheckpoint(step: 4)]),
      (.checkpointWritten, .training(step: 4), [.train(step: 5)]),
      (.checkpointFailed(disk), .training(step: 4), [failed(4, disk, true), .train(step: 5)]),
      (.checkpointFailed(nan), .rollingBack(step: 4), [failed(4, nan, true)] + goesBack(4, 2)),
    ]),
  Row(
    name: "awaiting what a rollback has changed, stop requested", nonFinite: rollBack,
    script: [.started(resumedFrom: 4, finishRecorded: false), bad(5), stop, .rolledBack(to: 4), .stateCopied],
    state: .awaiting(step: 4),
    legal: [
      (.checkpointUnderWay, .awaiting(step: 4), [.awaitCheckpoint(step: 4)]),
      (
        .checkpointWritten, .stopped(exitCode: 75), [.log(.stoppedOnRequest(step: 4, .stopFile)), .stop(exitCode: 75)]
      ),
      (.checkpointFailed(disk), .stopped(exitCode: 74), [failed(4, disk, false), .stop(exitCode: 74)]),
      (.checkpointFailed(nan), .rollingBack(step: 4), [failed(4, nan, true)] + goesBack(4, 2)),
    ]),
  Row(
    name: "going back once more than allowed, after a resume", nonFinite: rollBack,
    script: [.started(resumedFrom: 4, finishRecorded: false, rollbacks: 2)], state: .training(step: 4),
    legal: [
      (done(5), .training(step: 5), [.train(step: 6)]),
      (bad(5), .stopped(exitCode: 76), [.log(.diverged(step: 5, rollBack)), .stop(exitCode: 76)]),
    ]),
]

@Suite struct CoordinatorTests {
  private func coordinator(_ script: [Event], nonFinite: NonFinitePolicy = .stop) -> Coordinator {
    var coordinator = Coordinator(
      policy: Coordinator.Policy(totalSteps: 6, evaluateEvery: 2, checkpointEvery: 3, nonFinite: nonFinite))
    for event in script { _ = coordinator.receive(event) }
    return coordinator
  }

  @Test func everyStateAnswersEveryEventAsTheTableSays() {
    for row in rows {
      let before = coordinator(row.script, nonFinite: row.nonFinite)
      #expect(before.state == row.state, "\(row.name)")
      let completed =
        switch row.state {
        case .training(let step), .evaluating(let step), .copying(let step), .awaiting(let step),
          .finishing(let step), .rollingBack(let step):
          step
        case .idle, .stopped: 0
        }
      for event in events(step: completed + 1) {
        var after = before
        let actions = after.receive(event)
        let expected: (State, [Action]) =
          if isRequest(event) {
            (row.state, [Action]())
          } else if let entry = row.legal.first(where: { $0.0 == event }) {
            (entry.1, entry.2)
          } else {
            (State.stopped(exitCode: 70), [.log(.unexpected(event, row.state)), .stop(exitCode: 70)])
          }
        #expect(after.state == expected.0, "\(row.name), \(event)")
        #expect(actions == expected.1, "\(row.name), \(event)")
      }
    }
  }

  @Test func aStoppedRunKeepsItsCode() {
    for code: Int32 in [0, 76] {
      let script = code == 0 ? [start] + steps(1...6) + [.finished] : [start, bad(1)]
      let before = coordinator(script)
      #expect(before.state == .stopped(exitCode: code))
      for event in events(step: 1) {
        var after = before
        let actions = after.receive(event)
        #expect(after.state == .stopped(exitCode: code))
        #expect(actions == (isRequest(event) ? [] : [.log(.unexpected(event, before.state))]))
      }
    }
  }

  private struct Course: Equatable {
    var trained: [Int] = []
    var evaluated: [Int] = []
    var saved: [Int] = []
    var finished: [Int] = []
    var code: Int32 = -1
  }

  /// Does what a coordinator says; nothing fails. A checkpoint that nobody waits for stands after so many steps, and at
  /// most one is written at a time.
  private func run(
    _ policy: Coordinator.Policy, from resumed: Int?, stopBefore: Int?, requestBefore: Int? = nil, writingSteps: Int
  ) -> Course {
    var coordinator = Coordinator(policy: policy)
    var course = Course()
    var event = Event.started(resumedFrom: resumed, finishRecorded: false)
    var writing: (step: Int, left: Int)?
    for _ in 0..<200 {
      switch coordinator.receive(event).last {
      case .train(let step):
        if step == stopBefore { #expect(coordinator.receive(stop).isEmpty) }
        if step == requestBefore { #expect(coordinator.receive(request).isEmpty) }
        if let current = writing {
          writing = (current.step, current.left - 1)
          if current.left <= 1 {
            course.saved.append(current.step)
            writing = nil
            #expect(coordinator.receive(.checkpointWritten).isEmpty)
          }
        }
        course.trained.append(step)
        event = done(step)
      case .evaluate(let step):
        course.evaluated.append(step)
        event = .evaluationCompleted
      case .copyState(let step):
        #expect(writing == nil && coordinator.isWriting)
        writing = (step, writingSteps)
        event = .stateCopied
      case .awaitCheckpoint:
        guard let step = writing?.step else { return course }
        course.saved.append(step)
        writing = nil
        event = .checkpointWritten
      case .finish(let step):
        course.finished.append(step)
        event = .finished
      case .stop(let code):
        #expect(writing == nil)
        course.code = code
        return course
      case .rollBack, .log, nil: return course
      }
    }
    return course
  }

  /// However long the writing of a checkpoint takes.
  @Test(arguments: [1, 2, 5, 100])
  func everyPolicyDoesWhatIsDueAndEndsWithACheckpointOfTheLastStep(writingSteps: Int) {
    for total in 0...7 {
      for evaluateEvery in 0...3 {
        for checkpointEvery in 0...3 {
          let policy = Coordinator.Policy(
            totalSteps: total, evaluateEvery: evaluateEvery, checkpointEvery: checkpointEvery)
          func due(_ every: Int) -> [Int] {
            (total == 0 ? [0] : Array(1...total)).filter { $0 == total || every > 0 && $0 % every == 0 }
          }
          let whole = run(policy, from: nil, stopBefore: nil, writingSteps: writingSteps)
          #expect(whole.trained == Array(1..<total + 1))
          #expect(whole.evaluated == due(evaluateEvery))
          #expect(whole.saved == due(checkpointEvery))
          #expect(whole.finished == [total] && whole.code == 0)
          for step in 1..<total + 1 {
            let first = run(policy, from: nil, stopBefore: step, writingSteps: writingSteps)
            #expect(first.trained.last == step && first.saved.last == step && first.code == 75)
            let second = run(policy, from: step, stopBefore: nil, writingSteps: writingSteps)
            #expect(first.trained + second.trained == whole.trained)
            #expect(second.evaluated.last == total && second.finished == [total] && second.code == 0)
            let requested = run(policy, from: nil, stopBefore: nil, requestBefore: step, writingSteps: writingSteps)
            #expect(requested.trained == whole.trained && requested.evaluated == whole.evaluated)
            // One that was requested while another was being written comes when that one stands.
            #expect(Set(requested.saved).isSuperset(of: whole.saved))
            if writingSteps == 1 { #expect(requested.saved.contains(step)) }
            #expect(requested.code == 0)
          }
        }
      }
    }
  }
}
