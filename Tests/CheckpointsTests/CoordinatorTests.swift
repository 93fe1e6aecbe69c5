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
    .started(resumedFrom: 7, finishRecorded: false), .stepCompleted(step: step, isFinite: true),
    .stepCompleted(step: step, isFinite: false), .stepCompleted(step: step + 1, isFinite: true), .evaluationCompleted,
    .checkpointWritten, .checkpointFailed(disk), .checkpointFailed(nan), stop, .stopRequested(.timeLimit), .finished,
    .rolledBack(to: 3),
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

private func steps(_ range: ClosedRange<Int>) -> [Event] {
  range.flatMap { step -> [Event] in
    [.stepCompleted(step: step, isFinite: true)] + (step % 2 == 0 ? [.evaluationCompleted] : [])
      + (step % 3 == 0 ? [.checkpointWritten] : [])
  }
}

private let start = Event.started(resumedFrom: nil, finishRecorded: false)
private let stop = Event.stopRequested(.stopFile)
private let skip = NonFinitePolicy.skip(inARow: 2)
private let rollBack = NonFinitePolicy.rollBack(times: 2, learningRateFactor: 0.5)
private func bad(_ step: Int) -> Event { .stepCompleted(step: step, isFinite: false) }
private func isStop(_ event: Event) -> Bool { if case .stopRequested = event { true } else { false } }
private func done(_ step: Int) -> Event { .stepCompleted(step: step, isFinite: true) }
private func failed(_ step: Int, _ error: CheckpointError, _ goesOn: Bool) -> Action {
  .log(.checkpointFailed(step: step, error, goesOn: goesOn))
}

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
    legal: [
      (done(1), .training(step: 1), [.train(step: 2)]),
      (
        .stepCompleted(step: 1, isFinite: false), .stopped(exitCode: 76),
        [.log(.diverged(step: 1, .stop)), .stop(exitCode: 76)]
      ),
    ]),
  Row(
    name: "training, evaluation due", script: [start] + steps(1...1), state: .training(step: 1),
    legal: [
      (done(2), .evaluating(step: 2), [.evaluate(step: 2)]),
      (
        .stepCompleted(step: 2, isFinite: false), .stopped(exitCode: 76),
        [.log(.diverged(step: 2, .stop)), .stop(exitCode: 76)]
      ),
    ]),
  Row(
    name: "training, checkpoint due", script: [start] + steps(1...2), state: .training(step: 2),
    legal: [
      (done(3), .checkpointing(step: 3), [.writeCheckpoint(step: 3)]),
      (
        .stepCompleted(step: 3, isFinite: false), .stopped(exitCode: 76),
        [.log(.diverged(step: 3, .stop)), .stop(exitCode: 76)]
      ),
    ]),
  Row(
    name: "training, stop requested", script: [start, stop, .stopRequested(.timeLimit)], state: .training(step: 0),
    legal: [
      (done(1), .checkpointing(step: 1), [.writeCheckpoint(step: 1)]),
      (
        .stepCompleted(step: 1, isFinite: false), .stopped(exitCode: 76),
        [.log(.diverged(step: 1, .stop)), .stop(exitCode: 76)]
      ),
    ]),
  Row(
    name: "evaluating", script: [start] + steps(1...1) + [done(2)], state: .evaluating(step: 2),
    legal: [(.evaluationCompleted, .training(step: 2), [.train(step: 3)])]),
  Row(
    name: "evaluating, stop requested", script: [start] + steps(1...1) + [done(2), stop],
    state: .evaluating(step: 2),
    legal: [(.evaluationCompleted, .checkpointing(step: 2), [.writeCheckpoint(step: 2)])]),
  Row(
    name: "evaluating at the end", script: [start] + steps(1...5) + [done(6)], state: .evaluating(step: 6),
    legal: [(.evaluationCompleted, .checkpointing(step: 6), [.writeCheckpoint(step: 6)])]),
  Row(
    name: "evaluating what was saved before", script: [.started(resumedFrom: 6, finishRecorded: false)],
    state: .evaluating(step: 6), legal: [(.evaluationCompleted, .finishing(step: 6), [.finish(step: 6)])]),
  Row(
    name: "checkpointing", script: [start] + steps(1...2) + [done(3)], state: .checkpointing(step: 3),
    legal: [
      (.checkpointWritten, .training(step: 3), [.train(step: 4)]),
      (.checkpointFailed(disk), .training(step: 3), [failed(3, disk, true), .train(step: 4)]),
      (.checkpointFailed(nan), .stopped(exitCode: 76), [failed(3, nan, false), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "checkpointing, stop requested", script: [start, stop, .stopRequested(.timeLimit), done(1)],
    state: .checkpointing(step: 1),
    legal: [
      (
        .checkpointWritten, .stopped(exitCode: 75), [.log(.stoppedOnRequest(step: 1, .stopFile)), .stop(exitCode: 75)]
      ),
      (.checkpointFailed(disk), .stopped(exitCode: 74), [failed(1, disk, false), .stop(exitCode: 74)]),
      (.checkpointFailed(nan), .stopped(exitCode: 76), [failed(1, nan, false), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "checkpointing at the end", script: [start] + steps(1...5) + [done(6), .evaluationCompleted],
    state: .checkpointing(step: 6),
    legal: [
      (.checkpointWritten, .finishing(step: 6), [.finish(step: 6)]),
      (.checkpointFailed(disk), .stopped(exitCode: 74), [failed(6, disk, false), .stop(exitCode: 74)]),
      (.checkpointFailed(nan), .stopped(exitCode: 76), [failed(6, nan, false), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "checkpointing at the end, stop requested before its evaluation",
    script: [start] + steps(1...5) + [stop, done(6)], state: .checkpointing(step: 6),
    legal: [
      (
        .checkpointWritten, .stopped(exitCode: 75), [.log(.stoppedOnRequest(step: 6, .stopFile)), .stop(exitCode: 75)]
      ),
      (.checkpointFailed(disk), .stopped(exitCode: 74), [failed(6, disk, false), .stop(exitCode: 74)]),
      (.checkpointFailed(nan), .stopped(exitCode: 76), [failed(6, nan, false), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "finishing", script: [start] + steps(1...6), state: .finishing(step: 6),
    legal: [(.finished, .stopped(exitCode: 0), [.stop(exitCode: 0)])]),
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
      (done(3), .checkpointing(step: 3), [.writeCheckpoint(step: 3)]),
      (bad(3), .stopped(exitCode: 76), [.log(.diverged(step: 3, skip)), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "skipping after a step that was finite", nonFinite: skip,
    script: [start, bad(1), done(2), .evaluationCompleted], state: .training(step: 2),
    legal: [
      (done(3), .checkpointing(step: 3), [.writeCheckpoint(step: 3)]),
      (
        bad(3), .checkpointing(step: 3), [.log(.skipped(step: 3, inARow: 1, of: 2)), .writeCheckpoint(step: 3)]
      ),
    ]),
  Row(
    name: "skipping after a resume", nonFinite: skip,
    script: [.started(resumedFrom: 4, finishRecorded: false, skippedInARow: 2)], state: .training(step: 4),
    legal: [
      (done(5), .training(step: 5), [.train(step: 6)]),
      (bad(5), .stopped(exitCode: 76), [.log(.diverged(step: 5, skip)), .stop(exitCode: 76)]),
    ]),
  Row(
    name: "the start of a run that may go back", nonFinite: rollBack, script: [start],
    state: .checkpointing(step: 0),
    legal: [
      (.checkpointWritten, .training(step: 0), [.train(step: 1)]),
      (.checkpointFailed(disk), .training(step: 0), [failed(0, disk, true), .train(step: 1)]),
      (
        .checkpointFailed(nan), .rollingBack(step: 0),
        [failed(0, nan, true), .log(.rollingBack(step: 0, number: 1, of: 2)), .rollBack(from: 0)]
      ),
    ]),
  Row(
    name: "training, may go back", nonFinite: rollBack, script: [start, .checkpointWritten],
    state: .training(step: 0),
    legal: [
      (done(1), .training(step: 1), [.train(step: 2)]),
      (
        bad(1), .rollingBack(step: 1), [.log(.rollingBack(step: 1, number: 1, of: 2)), .rollBack(from: 1)]
      ),
    ]),
  Row(
    name: "rolling back", nonFinite: rollBack, script: [.started(resumedFrom: 4, finishRecorded: false), bad(5)],
    state: .rollingBack(step: 5),
    legal: [(.rolledBack(to: 3), .checkpointing(step: 3), [.writeCheckpoint(step: 3)])]),
  Row(
    name: "saving what a rollback has changed", nonFinite: rollBack,
    script: [.started(resumedFrom: 4, finishRecorded: false), bad(5), .rolledBack(to: 4)],
    state: .checkpointing(step: 4),
    legal: [
      (.checkpointWritten, .training(step: 4), [.train(step: 5)]),
      (.checkpointFailed(disk), .training(step: 4), [failed(4, disk, true), .train(step: 5)]),
      (
        .checkpointFailed(nan), .rollingBack(step: 4),
        [failed(4, nan, true), .log(.rollingBack(step: 4, number: 2, of: 2)), .rollBack(from: 4)]
      ),
    ]),
  Row(
    name: "saving what a rollback has changed, stop requested", nonFinite: rollBack,
    script: [.started(resumedFrom: 4, finishRecorded: false), bad(5), stop, .rolledBack(to: 4)],
    state: .checkpointing(step: 4),
    legal: [
      (
        .checkpointWritten, .stopped(exitCode: 75), [.log(.stoppedOnRequest(step: 4, .stopFile)), .stop(exitCode: 75)]
      ),
      (.checkpointFailed(disk), .stopped(exitCode: 74), [failed(4, disk, false), .stop(exitCode: 74)]),
      (
        .checkpointFailed(nan), .rollingBack(step: 4),
        [failed(4, nan, true), .log(.rollingBack(step: 4, number: 2, of: 2)), .rollBack(from: 4)]
      ),
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
        case .training(let step), .evaluating(let step), .checkpointing(let step), .finishing(let step),
          .rollingBack(let step):
          step
        case .idle, .stopped: 0
        }
      for event in events(step: completed + 1) {
        var after = before
        let actions = after.receive(event)
        let expected: (State, [Action]) =
          if isStop(event) {
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
      let script = code == 0 ? [start] + steps(1...6) + [.finished] : [start, .stepCompleted(step: 1, isFinite: false)]
      let before = coordinator(script)
      #expect(before.state == .stopped(exitCode: code))
      for event in events(step: 1) {
        var after = before
        let actions = after.receive(event)
        #expect(after.state == .stopped(exitCode: code))
        #expect(actions == (isStop(event) ? [] : [.log(.unexpected(event, before.state))]))
      }
    }
  }

  /// Does what a coordinator says; nothing fails. Returns the steps of each kind and the exit code.
  private func run(
    _ policy: Coordinator.Policy, from resumed: Int?, stopBefore: Int?
  ) -> (trained: [Int], evaluated: [Int], saved: [Int], finished: [Int], code: Int32) {
    var coordinator = Coordinator(policy: policy)
    var result = (trained: [Int](), evaluated: [Int](), saved: [Int](), finished: [Int](), code: Int32(-1))
    var event = Event.started(resumedFrom: resumed, finishRecorded: false)
    for _ in 0..<100 {
      let actions = coordinator.receive(event)
      switch actions.last {
      case .train(let step):
        if step == stopBefore { #expect(coordinator.receive(stop).isEmpty) }
        result.trained.append(step)
        event = .stepCompleted(step: step, isFinite: true)
      case .evaluate(let step):
        result.evaluated.append(step)
        event = .evaluationCompleted
      case .writeCheckpoint(let step):
        result.saved.append(step)
        event = .checkpointWritten
      case .finish(let step):
        result.finished.append(step)
        event = .finished
      case .stop(let code):
        result.code = code
        return result
      case .rollBack, .log, nil: return result
      }
    }
    return result
  }

  @Test func everyPolicyDoesWhatIsDueAndEndsWithACheckpointOfTheLastStep() {
    for total in 0...7 {
      for evaluateEvery in 0...3 {
        for checkpointEvery in 0...3 {
          let policy = Coordinator.Policy(
            totalSteps: total, evaluateEvery: evaluateEvery, checkpointEvery: checkpointEvery)
          func due(_ every: Int) -> [Int] {
            (total == 0 ? [0] : Array(1...total)).filter { $0 == total || every > 0 && $0 % every == 0 }
          }
          let whole = run(policy, from: nil, stopBefore: nil)
          #expect(whole.trained == Array(1..<total + 1))
          #expect(whole.evaluated == due(evaluateEvery))
          #expect(whole.saved == due(checkpointEvery))
          #expect(whole.finished == [total] && whole.code == 0)
          for stop in 1..<total + 1 {
            let first = run(policy, from: nil, stopBefore: stop)
            #expect(first.trained.last == stop && first.saved.last == stop && first.code == 75)
            let second = run(policy, from: stop, stopBefore: nil)
            #expect(first.trained + second.trained == whole.trained)
            #expect(second.evaluated.last == total && second.finished == [total] && second.code == 0)
          }
        }
      }
    }
  }
}
