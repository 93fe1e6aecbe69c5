import Glibc
import MPI
import Problems
import Runs
import Synchronization

/// A thread of each rank that keeps up its heartbeat and listens to that of the next rank, the last rank to that of the
/// first: each silent rank is noticed by one other, or there is none left. The thread sleeps, but for a moment every
/// few seconds.
///
/// A rank counts as lost where its process is gone, where its heart has not beaten for the limit, or where the heart
/// beats but the rank has entered no new phase for ten times the limit while no other is further behind, unless its phase
/// is `working`. Whoever notices ends the job with exit code 77 and one message. Time is counted in wake-ups of the thread
/// itself: if the whole machine sleeps, nobody is late.
///
/// When a rank's work is over it still has to come out of MPI, together with the others: that too waits for ever for
/// one that is silent. So the thread goes on to the end of the process, and then ends this process instead of calling
/// MPI.
package final class Watchdog: Sendable {
  private let world: World
  private let heartbeat: Heartbeat
  private let watched: Int?
  private let ranks: [Int]
  private let limit: Atomic<Int>
  private let isPublisher: Bool
  private let hasEnded = Atomic(false)

  /// Starts the thread.
  /// - Parameters:
  ///   - ranks: the ranks that have a heartbeat, ascending.
  ///   - limitSeconds: how long a rank may be silent, 0 for ever.
  ///   - isPublisher: whether this rank writes the heartbeats of its host out, for other hosts.
  package init(world: World, heartbeat: Heartbeat, ranks: [Int], limitSeconds: Int, isPublisher: Bool) throws {
    self.world = world
    self.heartbeat = heartbeat
    self.ranks = ranks
    limit = Atomic(limitSeconds)
    self.isPublisher = isPublisher
    let own = world.communicator.rank
    let next = ranks.first { $0 > own } ?? ranks.first
    watched = next == own ? nil : next
    try startThread { [self] in run() }
  }

  /// The rank's work is over, and MPI is coming to its end.
  package func end() { hasEnded.store(true, ordering: .relaxed) }

  /// From now on a rank may be silent for `seconds`, 0 for ever; the beats go on either way.
  package func allow(seconds: Int) { limit.store(seconds, ordering: .relaxed) }

  // MARK: The thread

  private func run() {
    var (silent, beats) = (0, UInt64.max)
    var (still, moves) = (0, UInt64.max)
    var gone = 0
    var tickSeconds = Watchdog.tickSeconds(limitSeconds: limit.load(ordering: .relaxed))
    while true {
      let limitSeconds = limit.load(ordering: .relaxed)
      let newTickSeconds = Watchdog.tickSeconds(limitSeconds: limitSeconds)
      if newTickSeconds != tickSeconds {
        // Another rank may be asleep for one more tick of the old length.
        silent = -Int((tickSeconds / newTickSeconds).rounded(.up)) - 1
        (still, tickSeconds) = (silent, newTickSeconds)
      }
      let limit = Int((Double(limitSeconds) / tickSeconds).rounded(.up))
      heartbeat.beat()
      if isPublisher { heartbeat.publish() }
      usleep(UInt32(tickSeconds * 1e6))
      guard limitSeconds > 0, let watched, let record = heartbeat.record(ofRank: watched) else { continue }
      silent = record.beats == beats ? silent + 1 : 0
      beats = record.beats
      // A rank that has ended is awaited only by those that have ended too.
      if record.phase == .ended, !hasEnded.load(ordering: .relaxed) { continue }
      if silent >= limit {
        end(watched, record, "a rank is silent", "a sign of life within \(limitSeconds) s")
      }
      // From here on it is about getting on, of which this rank is past.
      if hasEnded.load(ordering: .relaxed) { continue }
      // One wake-up of grace, in which a launcher that notices too ends the job.
      gone = heartbeat.isGone(record) ? gone + 1 : 0
      if gone > 1 { end(watched, record, "a rank has died", "a running process") }
      still = heartbeat.moves == moves ? still + 1 : 0
      moves = heartbeat.moves
      // Waiting for a rank that is behind is not standing still.
      if still > limit, isAnybodyBehind() { still = limit }
      if still >= 10 * limit, let own = heartbeat.record(ofRank: world.communicator.rank), own.phase != .working {
        end(world.communicator.rank, own, "a rank makes no progress", "a new phase within \(10 * limitSeconds) s")
      }
    }
  }

  /// Between two wake-ups. A process that is gone is noticed at the second one: within 10 seconds.
  private static func tickSeconds(limitSeconds: Int) -> Double {
    limitSeconds == 0 ? 4 : min(4, max(0.1, Double(limitSeconds) / 12))
  }

  /// Whether another rank is less far than this one, or as far and of a lower number.
  private func isAnybodyBehind() -> Bool {
    let own = world.communicator.rank
    return ranks.contains { rank in
      guard rank != own, let record = heartbeat.record(ofRank: rank), record.phase != .ended else { return false }
      return (record.moves, rank) < (heartbeat.moves, own)
    }
  }

  private func end(_ rank: Int, _ record: RankRecord, _ what: String, _ expected: String) {
    // MPI_Abort is called beside the rank's main thread, which waits in MPI for a rank that will not come. Should it
    // not return, the alarm ends this process, and with it the job.
    signal(SIGALRM, SIG_DFL)
    alarm(10)
    let problem = Problem(
      .peerLost,
      "\(what) — expected \(expected), got none from rank \(rank) on host \(record.hostText), last "
        + "seen \(record.activity) (process \(record.process))")
    if hasEnded.load(ordering: .relaxed) { world.leave(with: problem) }
    world.fail(problem)
  }
}
