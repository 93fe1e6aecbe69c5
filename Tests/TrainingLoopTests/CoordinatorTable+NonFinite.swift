extension CoordinatorTable {
  /// Of runs that go on after such a step, or back.
  static let nonFiniteRows: [Row] = [
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
      name: "skipping once more than allowed", nonFinite: skip, script: [start, bad(1), bad(2), evaluated],
      state: .training(step: 2),
      legal: [
        (done(3), .copying(step: 3), [.copyState(step: 3)]),
        (bad(3), .stopped(exitCode: 76), [.log(.diverged(step: 3, skip)), .stop(exitCode: 76)]),
      ]),
    Row(
      name: "skipping where a checkpoint is due beside another", nonFinite: skip,
      script: [start, request, done(1), .stateCopied, bad(2), evaluated, bad(3)],
      state: .awaiting(step: 3),
      legal: [
        (.checkpointUnderWay, .awaiting(step: 3), [.awaitCheckpoint(step: 3)]),
        (.checkpointWritten, .copying(step: 3), [.copyState(step: 3)]),
        (.checkpointFailed(disk), .copying(step: 3), [failed(1, disk, true), .copyState(step: 3)]),
        (.checkpointFailed(nan), .stopped(exitCode: 76), [failed(1, nan, false), .stop(exitCode: 76)]),
      ]),
    Row(
      name: "skipping after a step that was finite", nonFinite: skip,
      script: [start, bad(1), done(2), evaluated], state: .training(step: 2),
      legal: [
        (done(3), .copying(step: 3), [.copyState(step: 3)]),
        (bad(3), .copying(step: 3), [.log(.skipped(step: 3, inARow: 1, of: 2)), .copyState(step: 3)]),
      ]),
    Row(
      name: "skipping after a resume", nonFinite: skip, setbacks: setbacks(skippedInARow: 2),
      script: [resumed(4)], state: .training(step: 4),
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
      name: "rolling back", nonFinite: rollBack, script: [resumed(4), bad(5)],
      state: .rollingBack(step: 5),
      legal: [(.rolledBack(to: 3, .nothingHeldOut), .copying(step: 3), [.copyState(step: 3)])]),
    Row(
      name: "copying what a rollback has changed", nonFinite: rollBack,
      script: [resumed(4), bad(5), .rolledBack(to: 4, .nothingHeldOut)],
      state: .copying(step: 4), legal: [(.stateCopied, .awaiting(step: 4), [.awaitCheckpoint(step: 4)])]),
    Row(
      name: "awaiting what a rollback has changed", nonFinite: rollBack,
      script: [resumed(4), bad(5), .rolledBack(to: 4, .nothingHeldOut), .stateCopied],
      state: .awaiting(step: 4),
      legal: [
        (.checkpointUnderWay, .awaiting(step: 4), [.awaitCheckpoint(step: 4)]),
        (.checkpointWritten, .training(step: 4), [.train(step: 5)]),
        (.checkpointFailed(disk), .training(step: 4), [failed(4, disk, true), .train(step: 5)]),
        (.checkpointFailed(nan), .rollingBack(step: 4), [failed(4, nan, true)] + goesBack(4, 2)),
      ]),
    Row(
      name: "awaiting what a rollback from the last step of an exhausted run has changed", nonFinite: rollBack,
      script: [
        start, .stateCopied, .checkpointWritten, done(1), done(2), lastEvaluated, .stateCopied,
        .checkpointFailed(nan), .rolledBack(to: 0, .nothingHeldOut), .stateCopied,
      ],
      state: .awaiting(step: 0),
      legal: [
        (.checkpointUnderWay, .awaiting(step: 0), [.awaitCheckpoint(step: 0)]),
        (.checkpointWritten, .training(step: 0), [.train(step: 1)]),
        // That checkpoints fail has been said.
        (.checkpointFailed(disk), .training(step: 0), [.train(step: 1)]),
        (.checkpointFailed(nan), .rollingBack(step: 0), goesBack(0, 2)),
      ]),
    Row(
      name: "awaiting what a rollback has changed, stop requested", nonFinite: rollBack,
      script: [resumed(4), bad(5), stop, .rolledBack(to: 4, .nothingHeldOut), .stateCopied],
      state: .awaiting(step: 4),
      legal: [
        (.checkpointUnderWay, .awaiting(step: 4), [.awaitCheckpoint(step: 4)]),
        (
          .checkpointWritten, .stopped(exitCode: 75),
          [.log(.stoppedOnRequest(step: 4, .stopFile)), .stop(exitCode: 75)]
        ),
        (.checkpointFailed(disk), .stopped(exitCode: 74), [failed(4, disk, false), .stop(exitCode: 74)]),
        (.checkpointFailed(nan), .rollingBack(step: 4), [failed(4, nan, true)] + goesBack(4, 2)),
      ]),
    Row(
      name: "going back once more than allowed, after a resume", nonFinite: rollBack,
      setbacks: setbacks(rollbacks: 2), script: [resumed(4)],
      state: .training(step: 4),
      legal: [
        (done(5), .training(step: 5), [.train(step: 6)]),
        (bad(5), .stopped(exitCode: 76), [.log(.diverged(step: 5, rollBack)), .stop(exitCode: 76)]),
      ]),
  ]
}
