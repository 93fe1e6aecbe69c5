import Configuration
import DataParallel
import Foundation
@preconcurrency import Glibc
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
      ProcessInfo.processInfo.environment, unixSeconds: Date().timeIntervalSince1970,
      elapsedSeconds: max(elapsed, JobTime.sessionSeconds ?? 0))
    return StopClock(
      timeLimit: limit == 0 ? nil : now + Double(limit) - elapsed, schedulerEnd: scheduler.map { now + $0 },
      checkpointBytes: checkpointBytes)
  }

  /// SLURM says when the job ends, in Unix seconds; PBS how long it may run, in seconds since the job's session began.
  /// The earlier end counts.
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

  /// For how long the leader of this process's session has run: PBS gives each job a session of its own, and what the
  /// job did before this command counts too. Nil where the leader is not to be seen.
  private static var sessionSeconds: Double? {
    // Behind the name in parentheses begins the third field; the 22nd is the start in ticks since boot.
    guard let status = try? String(contentsOfFile: "/proc/\(getsid(0))/stat", encoding: .utf8),
      let fields = status.split(separator: ")").last?.split(separator: " "), fields.count > 19,
      let ticks = Double(fields[19])
    else { return nil }
    var now = timespec()
    clock_gettime(CLOCK_BOOTTIME, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9 - ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}
