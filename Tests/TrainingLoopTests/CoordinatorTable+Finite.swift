extension CoordinatorTable {
  /// Of runs that stop at the first step whose numbers are not finite.
  static let finiteRows: [Row] = [
    Row(
      name: "idle", script: [], state: .idle,
      legal: [
        (start, .training(step: 0), [.train(step: 1)]),
        (resumed(4), .training(step: 4), [.train(step: 5)]),
        (resumed(6), .evaluating(step: 6), [.evaluate(step: 6)]),
        (
          resumed(6, finishRecorded: true), .stopped(exitCode: 0),
          [.log(.alreadyFinished(step: 6)), .stop(exitCode: 0)]
        ),
        (
          resumed(7), .stopped(exitCode: 0),
          [.log(.alreadyFinished(step: 7)), .stop(exitCode: 0)]
        ),
        (
          resumed(4, .notYet), .evaluating(step: 4),
          [.evaluate(step: 4)]
        ),
        (
          resumed(4, isExhausted: true), .finishing(step: 4), [.finish(step: 4)]
        ),
        (
          resumed(4, finishRecorded: true, isExhausted: true), .stopped(exitCode: 0),
          [.log(.alreadyFinished(step: 4)), .stop(exitCode: 0)]
        ),
      ]),
    Row(
      name: "evaluating what a stop had left out",
      script: [resumed(4, .notYet)], state: .evaluating(step: 4),
      legal: [
        (evaluated, .training(step: 4), [.train(step: 5)]),
        (lastEvaluated, .finishing(step: 4), [.log(.exhausted(step: 4)), .finish(step: 4)]),
      ]),
    Row(
      name: "copying after the last evaluation",
      script: [start] + steps(1...3) + [done(4), lastEvaluated], state: .copying(step: 4),
      legal: [(.stateCopied, .awaiting(step: 4), [.awaitCheckpoint(step: 4)])]),
    Row(
      name: "finishing after the last evaluation",
      script: [start] + steps(1...3) + [done(4), lastEvaluated, .stateCopied, .checkpointWritten],
      state: .finishing(step: 4), legal: [(.finished, .stopped(exitCode: 0), [.stop(exitCode: 0)])]),
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
      legal: [
        (done(1), .copying(step: 1), [.copyState(step: 1)]), diverges(1),
        (.stepAbandoned, .copying(step: 0), [.copyState(step: 0)]),
      ]),
    Row(
      name: "training after a checkpoint, stop requested", script: writing + [.checkpointWritten, stop],
      state: .training(step: 3),
      legal: [
        (done(4), .copying(step: 4), [.copyState(step: 4)]), diverges(4),
        (
          .stepAbandoned, .stopped(exitCode: 75),
          [.log(.stoppedOnRequest(step: 3, .stopFile)), .stop(exitCode: 75)]
        ),
      ]),
    Row(
      name: "training after a failure, stop requested", script: writing + [.checkpointFailed(disk), stop],
      state: .training(step: 3),
      legal: [
        (done(4), .copying(step: 4), [.copyState(step: 4)]), diverges(4),
        (.stepAbandoned, .copying(step: 3), [.copyState(step: 3)]),
      ]),
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
        (.stepAbandoned, .awaiting(step: 4), [.awaitCheckpoint(step: 4)]),
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
      legal: [
        (evaluated, .training(step: 2), [.train(step: 3)]), endsTheRun(2, .copying(step: 2)),
      ]),
    Row(
      name: "evaluating, stop requested", script: [start] + steps(1...1) + [done(2), stop],
      state: .evaluating(step: 2),
      legal: [
        (evaluated, .copying(step: 2), [.copyState(step: 2)]), endsTheRun(2, .copying(step: 2)),
        (.evaluationAbandoned, .copying(step: 2), [.copyState(step: 2)]),
      ]),
    Row(
      name: "evaluating beside a checkpoint", script: writing + [done(4)], state: .evaluating(step: 4),
      legal: [
        (evaluated, .training(step: 4), [.train(step: 5)]), endsTheRun(4, .awaiting(step: 4)),
      ] + endsBeside(.evaluating(step: 4), 3)),
    Row(
      name: "evaluating at the end", script: [start] + steps(1...5) + [done(6)], state: .evaluating(step: 6),
      legal: [
        (evaluated, .copying(step: 6), [.copyState(step: 6)]),
        (lastEvaluated, .copying(step: 6), [.copyState(step: 6)]),
      ]),
    Row(
      name: "evaluating at the end beside a checkpoint", script: writing + steps(4...5) + [done(6)],
      state: .evaluating(step: 6),
      legal: [
        (evaluated, .awaiting(step: 6), [.awaitCheckpoint(step: 6)]),
        (lastEvaluated, .awaiting(step: 6), [.awaitCheckpoint(step: 6)]),
      ] + endsBeside(.evaluating(step: 6), 3)),
    Row(
      name: "evaluating what was saved before", script: [resumed(6)],
      state: .evaluating(step: 6),
      legal: [
        (evaluated, .finishing(step: 6), [.finish(step: 6)]),
        (lastEvaluated, .finishing(step: 6), [.finish(step: 6)]),
      ]),
    Row(
      name: "copying", script: [start] + steps(1...2) + [done(3)], state: .copying(step: 3),
      legal: [(.stateCopied, .training(step: 3), [.train(step: 4)])]),
    Row(
      name: "copying, stop requested", script: [start, stop, done(1)], state: .copying(step: 1),
      legal: [(.stateCopied, .awaiting(step: 1), [.awaitCheckpoint(step: 1)])]),
    Row(
      name: "copying at the end", script: [start] + steps(1...5) + [done(6), evaluated],
      state: .copying(step: 6), legal: [(.stateCopied, .awaiting(step: 6), [.awaitCheckpoint(step: 6)])]),
    Row(
      name: "awaiting, stop requested", script: [start, stop, .stopRequested(.timeLimit), done(1), .stateCopied],
      state: .awaiting(step: 1),
      legal: [
        (.checkpointUnderWay, .awaiting(step: 1), [.awaitCheckpoint(step: 1)]),
        (
          .checkpointWritten, .stopped(exitCode: 75),
          [.log(.stoppedOnRequest(step: 1, .stopFile)), .stop(exitCode: 75)]
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
      name: "awaiting at the end", script: [start] + steps(1...5) + [done(6), evaluated, .stateCopied],
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
          .checkpointWritten, .stopped(exitCode: 75),
          [.log(.stoppedOnRequest(step: 6, .stopFile)), .stop(exitCode: 75)]
        ),
        (.checkpointFailed(disk), .stopped(exitCode: 74), [failed(6, disk, false), .stop(exitCode: 74)]),
        (.checkpointFailed(nan), .stopped(exitCode: 76), [failed(6, nan, false), .stop(exitCode: 76)]),
      ]),
    Row(
      name: "finishing",
      script: [start] + steps(1...5) + [done(6), evaluated, .stateCopied, .checkpointWritten],
      state: .finishing(step: 6), legal: [(.finished, .stopped(exitCode: 0), [.stop(exitCode: 0)])]),
  ]
}
