import Checkpoints
import MPI

/// Knows on rank 0 why the run is to stop before its end: a signal, the stop file, or the clock.
struct StopRequests {
  /// The signal of which the ranks told each other in the last step, if there was one.
  var notice: (number: Int32, rank: Int)?

  private let directory: RunDirectory
  private var clock: StopClock?
  private var fileSoughtSeconds = 0.0
  private var isTaken = false

  /// `clock`: when the job's time is over, nil where it has no end.
  init(directory: RunDirectory, clock: StopClock?) {
    self.directory = directory
    self.clock = clock
  }

  /// A step or an evaluation took so long.
  mutating func measuredAction(seconds: Double) { clock?.measuredAction(seconds: seconds) }

  /// A checkpoint took so long.
  mutating func measuredCheckpoint(seconds: Double) { clock?.measuredCheckpoint(seconds: seconds) }

  /// The first reason that there is, once; `isWriting`: a checkpoint is being written that has to end first.
  mutating func takeReason(isWriting: Bool) -> StopReason? {
    guard !isTaken, let reason = reason(atSeconds: World.wallTimeSeconds(), isWriting) else { return nil }
    isTaken = true
    return reason
  }

  private mutating func reason(atSeconds now: Double, _ isWriting: Bool) -> StopReason? {
    if let notice { return .signal(notice.number, rank: notice.rank) }
    if now - fileSoughtSeconds >= 1 {
      fileSoughtSeconds = now
      // A file that cannot be looked for, or removed, asks for nothing; the next start says so.
      if (try? directory.takeStopFile()) == true { return .stopFile }
    }
    return clock?.reason(atSeconds: now, isWriting: isWriting)
  }
}
