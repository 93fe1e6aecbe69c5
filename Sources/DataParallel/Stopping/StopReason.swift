/// Why a run is to stop before its end.
package enum StopReason: Equatable, Sendable {
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
  package var description: String {
    switch self {
    case .signal(let number, let rank): "\(StopReason.names[number] ?? "signal \(number)") at rank \(rank)"
    case .stopFile: "the stop file"
    case .timeLimit: "the time limit is near"
    case .schedulerEnd: "the scheduler's end of the job is near"
    }
  }

  private static let names: [Int32: String] = [
    1: "SIGHUP", 2: "SIGINT", 10: "SIGUSR1", 12: "SIGUSR2", 13: "SIGPIPE", 15: "SIGTERM", 24: "SIGXCPU",
  ]
}

extension StopReason {
  /// The reason as a number above 0, which other ranks understand: its kind, and 256 times the rank of a signal.
  package var code: Int {
    switch self {
    case .signal(let number, let rank): Int(number) + 256 * rank
    case .stopFile: 201
    case .timeLimit: 202
    case .schedulerEnd: 203
    }
  }

  /// The reason that has this code; nil where there is none.
  package init?(code: Int) {
    let (rank, kind) = code.quotientAndRemainder(dividingBy: 256)
    switch kind {
    case 1...64 where rank >= 0: self = .signal(Int32(kind), rank: rank)
    case 201: self = .stopFile
    case 202: self = .timeLimit
    case 203: self = .schedulerEnd
    default: return nil
    }
  }
}

/// When a job has to begin its last checkpoint, so that it stands before the job's time is over.
///
/// A step or an evaluation is abandoned for it, so that the checkpoint alone has to be written: the longest that has been
/// measured is reserved with half as much again, for disks are uneven, twice where another one must be waited for, and a
/// second for the way out. Before the first checkpoint its time is estimated from its size. All times are seconds since
/// the same moment.
package struct StopClock: Sendable {
  /// When the job's time is over, and which limit that is; nil where it has no end.
  package let end: (seconds: Double, reason: StopReason)?
  private var checkpointSeconds: Double
  private var hasMeasuredCheckpoint = false

  /// What a disk is expected to take before it has been measured.
  private static let bytesPerSecond = 50e6

  /// - Parameters:
  ///   - timeLimit: when the user's limit ends, nil for none.
  ///   - schedulerEnd: when the scheduler ends the job, nil where it does not say.
  ///   - checkpointBytes: the size of a checkpoint.
  package init(timeLimit: Double?, schedulerEnd: Double?, checkpointBytes: Int) {
    let limit = timeLimit.map { (seconds: $0, reason: StopReason.timeLimit) }
    let scheduler = schedulerEnd.map { (seconds: $0, reason: StopReason.schedulerEnd) }
    end = [limit, scheduler].compactMap { $0 }.min { $0.seconds < $1.seconds }
    checkpointSeconds = Double(checkpointBytes) / StopClock.bytesPerSecond
  }

  /// A checkpoint took `seconds`.
  package mutating func measuredCheckpoint(seconds: Double) {
    checkpointSeconds = hasMeasuredCheckpoint ? max(checkpointSeconds, seconds) : seconds
    hasMeasuredCheckpoint = true
  }

  /// Seconds to be kept for what must still happen; `isWriting`: a checkpoint is being written that has to end first.
  package func reservedSeconds(isWriting: Bool = false) -> Double {
    (isWriting ? 3 : 1.5) * checkpointSeconds + 1
  }

  /// Why the job must stop at this moment; nil where there is time left.
  package func reason(atSeconds now: Double, isWriting: Bool = false) -> StopReason? {
    guard let end, now + reservedSeconds(isWriting: isWriting) >= end.seconds else { return nil }
    return end.reason
  }
}
