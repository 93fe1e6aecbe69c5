/// Why a run is to stop before its end.
public enum StopReason: Equatable, Sendable {
  /// A signal came to one of the ranks.
  case signal(Int32, rank: Int)
  /// The stop file lies in the run's directory.
  case stopFile
  /// The time limit is near.
  case timeLimit
  /// The scheduler will end the job soon.
  case schedulerEnd
}

extension StopReason: CustomStringConvertible {
  /// In words, such as "SIGTERM at rank 2".
  public var description: String {
    switch self {
    case .signal(let number, let rank): "\(StopReason.names[number] ?? "signal \(number)") at rank \(rank)"
    case .stopFile: "the stop file"
    case .timeLimit: "the time limit is near"
    case .schedulerEnd: "the scheduler's end of the job is near"
    }
  }

  private static let names: [Int32: String] = [2: "SIGINT", 10: "SIGUSR1", 12: "SIGUSR2", 15: "SIGTERM"]
}

/// When a job has to begin its last checkpoint, so that it stands before the job's time is over.
///
/// Between two looks at the clock a step or an evaluation passes, and then the checkpoint has to be written: the
/// longest of each that has been measured is reserved, the checkpoint with half as much again, for disks are uneven,
/// twice where another one must be waited for, and a second for the way out. Before the first checkpoint its time is
/// estimated from its size. All times are seconds since the same moment.
public struct StopClock: Sendable {
  /// When the job's time is over, and which limit that is; nil where it has no end.
  public let end: (seconds: Double, reason: StopReason)?
  private var actionSeconds = 0.0
  private var checkpointSeconds: Double
  private var hasMeasuredCheckpoint = false

  /// What a disk is expected to take before it has been measured.
  private static let bytesPerSecond = 50e6

  /// - Parameters:
  ///   - timeLimit: when the user's limit ends, nil for none.
  ///   - schedulerEnd: when the scheduler ends the job, nil where it does not say.
  ///   - checkpointBytes: the size of a checkpoint.
  public init(timeLimit: Double?, schedulerEnd: Double?, checkpointBytes: Int) {
    let limit = timeLimit.map { (seconds: $0, reason: StopReason.timeLimit) }
    let scheduler = schedulerEnd.map { (seconds: $0, reason: StopReason.schedulerEnd) }
    end = [limit, scheduler].compactMap { $0 }.min { $0.seconds < $1.seconds }
    checkpointSeconds = Double(checkpointBytes) / StopClock.bytesPerSecond
  }

  /// A step or an evaluation took so long.
  public mutating func measuredAction(seconds: Double) { actionSeconds = max(actionSeconds, seconds) }

  /// A checkpoint took so long.
  public mutating func measuredCheckpoint(seconds: Double) {
    checkpointSeconds = hasMeasuredCheckpoint ? max(checkpointSeconds, seconds) : seconds
    hasMeasuredCheckpoint = true
  }

  /// Seconds to be kept for what must still happen; `isWriting`: a checkpoint is being written that has to end first.
  public func reservedSeconds(isWriting: Bool = false) -> Double {
    actionSeconds + (isWriting ? 3 : 1.5) * checkpointSeconds + 1
  }

  /// Why the job must stop at this moment; nil where there is time left.
  public func reason(atSeconds now: Double, isWriting: Bool = false) -> StopReason? {
    guard let end, now + reservedSeconds(isWriting: isWriting) >= end.seconds else { return nil }
    return end.reason
  }
}
