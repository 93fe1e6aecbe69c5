import MPI
import Runs

/// Knows why this rank wants the job to stop: for a signal, and on rank 0 also for the stop file or the clock. The user's
/// time limit and the stop file never take the first step from a job, so that a run makes progress however short its
/// jobs are; the scheduler's end does, for it kills the job.
package final class StopRequests {
  /// Whether a checkpoint is being written that has to end first.
  package var isWriting = false
  /// Whether the first training step of the job is under way.
  package var isFirstStep = false

  private let rank: Int
  private let signal: () -> Int32
  private let directory: RunDirectory
  private var clock: StopClock?
  private var fileSoughtSeconds = 0.0

  /// - Parameters:
  ///   - signal: the one that asked this process to stop, or 0.
  ///   - clock: when the job's time is over, nil where it has no end, and on ranks other than 0.
  package init(rank: Int, signal: @escaping () -> Int32, directory: RunDirectory, clock: StopClock?) {
    self.rank = rank
    self.signal = signal
    self.directory = directory
    self.clock = clock
  }

  /// A checkpoint took `seconds`.
  package func measuredCheckpoint(seconds: Double) { clock?.measuredCheckpoint(seconds: seconds) }

  /// The first reason that there is.
  package func reason() -> StopReason? {
    let number = signal()
    if number != 0 { return .signal(number, rank: rank) }
    guard rank == 0 else { return nil }
    let now = World.wallTimeSeconds()
    let clockReason = clock?.reason(atSeconds: now, isWriting: isWriting)
    if isFirstStep { return clockReason == .schedulerEnd ? clockReason : nil }
    if now - fileSoughtSeconds >= 1 {
      fileSoughtSeconds = now
      // A file that cannot be looked for, or removed, asks for nothing; the next start says so.
      if (try? directory.takeStopFile()) == true { return .stopFile }
    }
    return clockReason
  }
}
