import Problems

/// Whom the watchdog of a rank watches, and when it calls a rank lost: counted in wake-ups of its thread. A pure state
/// machine: what the thread sees at a wake-up goes in, a loss comes out; it reads no clock and no record.
package struct WatchdogCounters: Sendable {
  /// How long a rank may be silent, 0 for ever.
  package private(set) var limitSeconds: Int
  /// Between two wake-ups.
  package private(set) var tickSeconds: Double

  private let rank: Int
  private let next: Int?
  /// Wake-ups since the watched rank's heart has beaten, and since this rank has entered a phase; below 0 in a time of
  /// grace.
  private var (silent, still) = (0, 0)
  /// Wake-ups in a row at which the watched rank's process was gone.
  private var gone = 0
  /// As they were at the last wake-up.
  private var (beats, moves) = (UInt64.max, UInt64.max)

  /// - Parameter ranks: those that have a heartbeat, ascending.
  package init(rank: Int, ranks: [Int], limitSeconds: Int) {
    self.rank = rank
    self.limitSeconds = limitSeconds
    tickSeconds = WatchdogCounters.tickSeconds(limitSeconds: limitSeconds)
    let next = ranks.first { $0 > rank } ?? ranks.first
    self.next = next == rank ? nil : next
  }

  /// The rank that is watched: the next one, of the last one the first. Nil where there is none or no limit.
  package var watched: Int? { limitSeconds > 0 ? next : nil }

  /// Before each sleep of the thread: a rank may be silent for `seconds`, 0 for ever.
  package mutating func allow(seconds: Int) {
    limitSeconds = seconds
    let newTickSeconds = WatchdogCounters.tickSeconds(limitSeconds: seconds)
    guard newTickSeconds != tickSeconds else { return }
    // Another rank may be asleep for one more tick of the old length.
    silent = -Int((tickSeconds / newTickSeconds).rounded(.up)) - 1
    (still, tickSeconds) = (silent, newTickSeconds)
  }

  /// After each sleep, where a rank is watched.
  /// - Parameters:
  ///   - record: of the watched rank.
  ///   - moves: of this rank.
  ///   - hasEnded: whether this rank's work is over.
  ///   - isGone: whether the process of a record is known to be gone.
  ///   - isAnybodyBehind: whether this rank waits for another one.
  ///   - own: this rank's record.
  package mutating func wake(
    _ record: RankRecord, moves: UInt64, hasEnded: Bool, isGone: (RankRecord) -> Bool, isAnybodyBehind: () -> Bool,
    own: () -> RankRecord?
  ) -> Loss? {
    guard let watched else { return nil }
    let limit = Int((Double(limitSeconds) / tickSeconds).rounded(.up))
    silent = record.beats == beats ? silent + 1 : 0
    beats = record.beats
    // A rank that has ended is awaited only by those that have ended too.
    if record.phase == .ended, !hasEnded { return nil }
    if silent >= limit { return Loss(reason: .silent, rank: watched, record: record) }
    // From here on it is about getting on, of which this rank is past.
    if hasEnded { return nil }
    // One wake-up of grace, in which a launcher that notices too ends the job.
    gone = isGone(record) ? gone + 1 : 0
    if gone > 1 { return Loss(reason: .died, rank: watched, record: record) }
    still = moves == self.moves ? still + 1 : 0
    self.moves = moves
    // Waiting for a rank that is behind is not standing still.
    if still > limit, isAnybodyBehind() { still = limit }
    guard still >= 10 * limit, let own = own(), own.phase != .working else { return nil }
    return Loss(reason: .noProgress, rank: rank, record: own)
  }

  /// Whether another rank is less far than this one, or as far and of a lower number; one that has ended is not.
  package static func isAnybodyBehind(
    rank own: Int, moves: UInt64, others: some Sequence<(rank: Int, phase: RankPhase, moves: UInt64)>
  ) -> Bool {
    others.contains { $0.phase != .ended && ($0.moves, $0.rank) < (moves, own) }
  }

  /// A process that is gone is noticed at the second wake-up: within 10 seconds.
  private static func tickSeconds(limitSeconds: Int) -> Double {
    limitSeconds == 0 ? 4 : min(4, max(0.1, Double(limitSeconds) / 12))
  }
}

extension WatchdogCounters {
  /// A rank that counts as lost.
  package struct Loss: Equatable, Sendable {
    package let reason: Reason
    package let rank: Int
    /// What it said of itself last.
    package let record: RankRecord

    /// What ends the job.
    package func problem(limitSeconds: Int) -> Problem {
      let (what, expected) =
        switch reason {
        case .silent: ("a rank is silent", "a sign of life within \(limitSeconds) s")
        case .died: ("a rank has died", "a running process")
        case .noProgress: ("a rank makes no progress", "a new phase within \(10 * limitSeconds) s")
        }
      return Problem(
        .peerLost,
        "\(what) — expected \(expected), got none from rank \(rank) on host \(record.hostText), last "
          + "seen \(record.activity) (process \(record.process))")
    }
  }

  /// Why a rank counts as lost.
  package enum Reason: Equatable, Sendable {
    /// Its heart has not beaten for the limit.
    case silent
    /// Its process is gone.
    case died
    /// Its heart beats, but it has entered no phase for ten times the limit.
    case noProgress
  }
}
