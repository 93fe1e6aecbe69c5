import Checkpoints
import Configuration
import Foundation
import MPI

/// The time that a job has: from the moment at which the command began, and as the scheduler says.
struct JobTime {
  private let startSeconds = ProcessInfo.processInfo.systemUptime

  /// A clock for the trainer. Warns of a scheduler's variable that makes no sense.
  func clock(_ configuration: Configuration, checkpointBytes: Int) -> StopClock {
    let now = World.wallTimeSeconds()
    let elapsed = ProcessInfo.processInfo.systemUptime - startSeconds
    let limit = configuration.training.timeLimit
    let scheduler = schedulerSecondsLeft(
      ProcessInfo.processInfo.environment, unixSeconds: Date().timeIntervalSince1970, elapsedSeconds: elapsed)
    return StopClock(
      timeLimit: limit == 0 ? nil : now + Double(limit) - elapsed, schedulerEnd: scheduler.map { now + $0 },
      checkpointBytes: checkpointBytes)
  }

  /// SLURM says when the job ends, in Unix seconds; PBS how long it may run, in seconds. The earlier end counts.
  private func schedulerSecondsLeft(
    _ environment: [String: String], unixSeconds: Double, elapsedSeconds: Double
  ) -> Double? {
    [("SLURM_JOB_END_TIME", unixSeconds), ("PBS_WALLTIME", elapsedSeconds)].compactMap { name, passed -> Double? in
      guard let text = environment[name] else { return nil }
      if let end = Int(text), Double(end) > passed { return Double(end) - passed }
      printError(
        "warning: \(name) is not heeded — expected seconds that are not over yet, got \(text.prefix(40)) (environment)")
      return nil
    }.min()
  }
}
