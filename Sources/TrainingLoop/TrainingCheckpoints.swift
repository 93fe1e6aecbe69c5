import DataParallel
import MPI
import Runs

/// When the checkpoints of a run are written for other reasons than their steps, and which of them are kept.
package struct CheckpointPolicy: Sendable {
  /// When one is due by the clock, which is that of `World.wallTimeSeconds`.
  package var clock: CheckpointClock
  /// Which are kept.
  package var retention: Retention

  /// By default never by the clock, and all are kept.
  package init(
    clock: CheckpointClock = CheckpointClock(intervalSeconds: 0, overhead: 0, startSeconds: 0, checkpointBytes: 0),
    retention: Retention = .all
  ) {
    self.clock = clock
    self.retention = retention
  }
}

/// The checkpoints of a training that goes on: all ranks copy the state, rank 0 has the copy written, and knows what
/// that costs.
final class TrainingCheckpoints {
  private let training: Training
  private let directory: RunDirectory
  private let identity: DataIdentity
  private let snapshot: Snapshot
  private let writer: CheckpointWriter
  private let report: (TrainingReport) -> Void
  private var clock: CheckpointClock
  private var copySeconds = 0.0

  /// How long a checkpoint takes that somebody waits for, as the last one was; nil before the first.
  private(set) var seconds: Double?

  /// Makes the memory of a copy, where there is none yet; collective. `report` is called on rank 0.
  init(
    _ training: Training, directory: RunDirectory, identity: DataIdentity, policy: CheckpointPolicy,
    report: @escaping (TrainingReport) -> Void
  ) throws {
    self.training = training
    self.directory = directory
    self.identity = identity
    self.report = report
    snapshot = try training.snapshot()
    writer = CheckpointWriter(directory, retention: policy.retention)
    clock = policy.clock
  }

  private var isRoot: Bool { training.world.communicator.rank == 0 }

  /// Copies the state as it is after a step, and begins to write it. Every rank calls it.
  func copy(_ manifest: Manifest, trainLoss: Double?) throws -> Coordinator.Event {
    let start = enter(manifest.step)
    try snapshot.take()
    if isRoot {
      writer.start(manifest, files: snapshot.files(trainLoss: trainLoss, identity: identity), owner: snapshot)
    }
    copySeconds = leave(since: start)
    clock.began(atSeconds: start, stoodStillSeconds: copySeconds)
    return .stateCopied
  }

  /// Waits for the checkpoint that is being written, on rank 0. Every rank calls it.
  func wait(_ step: Int) -> Coordinator.Event {
    let start = enter(step)
    let outcome = isRoot ? writer.wait() : nil
    clock.stoodStill(seconds: leave(since: start))
    return outcome.map(ended) ?? .checkpointUnderWay
  }

  /// The end of the checkpoint that was being written, once, on rank 0.
  func takeEnd() -> Coordinator.Event? { writer.takeOutcome().map(ended) }

  /// Whether the next one is due by the clock.
  func isDue() -> Bool { clock.isDue(atSeconds: World.wallTimeSeconds()) }

  private func enter(_ step: Int) -> Double {
    training.heartbeat?.enter(.saving, step: step)
    training.clock.enter(.checkpoint)
    return World.wallTimeSeconds()
  }

  private func leave(since start: Double) -> Double {
    training.clock.enter(.coordination)
    return World.wallTimeSeconds() - start
  }

  private func ended(_ outcome: CheckpointWriter.Outcome) -> Coordinator.Event {
    clock.ended(busySeconds: outcome.busySeconds)
    seconds = copySeconds + outcome.workSeconds
    if let error = outcome.error { return .checkpointFailed(error, isInPlace: outcome.isInPlace) }
    report(.saved(step: outcome.step, path: directory.checkpointPath(step: outcome.step)))
    if let error = outcome.removalError { report(.removalFailed(error)) }
    return .checkpointWritten
  }
}
