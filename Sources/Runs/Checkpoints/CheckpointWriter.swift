import CSystem
import Files
import Glibc
import Problems
import Synchronization

/// Writes checkpoints on a thread beside the training, one at a time, at a pace that does not disturb it. What is
/// written has been read back from the disk and compared; then checkpoints that are superseded are removed. The thread
/// makes no MPI calls.
package final class CheckpointWriter: Sendable {
  /// How the writing of a checkpoint ended.
  package struct Outcome: Sendable {
    /// The step of the checkpoint.
    package let step: Int
    /// Why it is not safe on the disk; nil where it is.
    package let error: Problem?
    /// Whether it is complete and has its name: with an error, one that a power failure may undo.
    package let isInPlace: Bool
    /// Why superseded ones could not be removed; nil where they were, or there were none.
    package let removalError: Problem?
    /// Seconds that it takes when somebody waits for it: without the rests between its pieces.
    package let workSeconds: Double
    /// Seconds for which it kept a processor busy.
    package let busySeconds: Double
  }

  private struct Job: @unchecked Sendable {
    let manifest: Manifest
    let files: [CheckpointFile]
    /// What the memory of the files belongs to.
    let owner: AnyObject
  }

  private let directory: RunDirectory
  private let retention: Retention
  private let outcome = Mutex<Outcome?>(nil)
  private let hasEnded = Atomic(false)
  private let isHurried = Atomic(false)
  private let pieces = Atomic(0)

  /// A writer of a run's checkpoints; there is no thread yet.
  package init(_ directory: RunDirectory, retention: Retention) {
    self.directory = directory
    self.retention = retention
  }

  /// Begins to write a checkpoint. The memory from which the files are made belongs to `owner` and must stay as it is
  /// until `takeOutcome` or `wait` has returned the outcome; nothing else is begun before that.
  package func start(_ manifest: Manifest, files: [CheckpointFile], owner: AnyObject) {
    hasEnded.store(false, ordering: .relaxed)
    isHurried.store(false, ordering: .relaxed)
    let job = Job(manifest: manifest, files: files, owner: owner)
    do {
      try startThread { [self] in
        system_use_processors_of_parent()
        run(job)
      }
    } catch {
      end(job, error, isInPlace: false, pace: Pace(isHurried: { true }, onPiece: {}))
    }
  }

  /// The outcome, once, where the writing has ended; nil before that, and where nothing was begun.
  package func takeOutcome() -> Outcome? {
    guard hasEnded.load(ordering: .acquiring) else { return nil }
    hasEnded.store(false, ordering: .relaxed)
    return outcome.withLock { $0.take() }
  }

  /// Waits, and lets the thread go on without rests: for the outcome, or after a second until the thread has done
  /// something since the call. A disk that does not answer is waited for without an end.
  package func wait() -> Outcome? {
    isHurried.store(true, ordering: .relaxed)
    let before = pieces.load(ordering: .relaxed)
    var waitedSeconds = 0.0
    while true {
      if let outcome = takeOutcome() { return outcome }
      if waitedSeconds >= 1, pieces.load(ordering: .relaxed) != before { return nil }
      usleep(200)
      waitedSeconds += 200e-6
    }
  }

  // MARK: The thread

  private func run(_ job: Job) {
    let pace = Pace(
      isHurried: { [self] in isHurried.load(ordering: .relaxed) },
      onPiece: { [self] in pieces.wrappingAdd(1, ordering: .relaxed) })
    do {
      let written = try directory.writeCheckpoint(job.manifest, files: job.files, pace: pace)
      if case .unconfirmed(let problem) = written { return end(job, problem, isInPlace: true, pace: pace) }
    } catch {
      return end(job, error, isInPlace: false, pace: pace)
    }
    do {
      try directory.removeSuperseded(by: job.manifest.step, retention)
      end(job, nil, isInPlace: true, pace: pace)
    } catch {
      end(job, nil, isInPlace: true, removal: error, pace: pace)
    }
  }

  private func end(
    _ job: Job, _ error: (any Error)?, isInPlace: Bool, removal: (any Error)? = nil, pace: Pace
  ) {
    outcome.withLock {
      $0 = Outcome(
        step: job.manifest.step, error: error.map(problem), isInPlace: isInPlace,
        removalError: removal.map(problem), workSeconds: pace.workSeconds,
        busySeconds: pace.busySeconds)
    }
    pieces.wrappingAdd(1, ordering: .relaxed)
    hasEnded.store(true, ordering: .releasing)
  }
}

/// Runs `body` on a new thread, which ends with it.
package func startThread(_ body: @escaping @Sendable () -> Void) throws {
  final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
  var thread = pthread_t()
  let owned = Unmanaged.passRetained(Body(body))
  let code = pthread_create(
    &thread, nil,
    { argument in
      Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
      return nil
    }, owned.toOpaque())
  guard code == 0 else {
    owned.release()
    throw Problem("cannot start a thread", code: code, at: Place("beside the training"))
  }
  pthread_detach(thread)
}

/// Any error as a problem: what is not one already is a failure of input or output.
private func problem(_ error: any Error) -> Problem {
  error as? Problem
    ?? Problem(.inputOutput, "checkpoint failed", expected: "success", got: "\(error)", at: RunNames.checkpoints)
}
