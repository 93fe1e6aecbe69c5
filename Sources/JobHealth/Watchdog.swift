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
    try startThread { [self] in run() }
  }

  /// The rank's work is over, and MPI is coming to its end.
  package func end() { hasEnded.store(true, ordering: .relaxed) }

  /// From now on a rank may be silent for `seconds`, 0 for ever; the beats go on either way.
  package func allow(seconds: Int) { limit.store(seconds, ordering: .relaxed) }

  // MARK: The thread

  private func run() {
    let rank = world.communicator.rank
    var counters = WatchdogCounters(rank: rank, ranks: ranks, limitSeconds: limit.load(ordering: .relaxed))
    while true {
      counters.allow(seconds: limit.load(ordering: .relaxed))
      heartbeat.beat()
      if isPublisher { heartbeat.publish() }
      usleep(UInt32(counters.tickSeconds * 1e6))
      guard let watched = counters.watched, let record = heartbeat.record(ofRank: watched) else { continue }
      let loss = counters.wake(
        record, moves: heartbeat.moves, hasEnded: hasEnded.load(ordering: .relaxed), isGone: heartbeat.isGone,
        isAnybodyBehind: isAnybodyBehind, own: { heartbeat.record(ofRank: rank) })
      if let loss { end(with: loss.problem(limitSeconds: counters.limitSeconds)) }
    }
  }

  private func isAnybodyBehind() -> Bool {
    let own = world.communicator.rank
    let others = ranks.lazy.filter { $0 != own }.compactMap { [heartbeat] rank in
      heartbeat.record(ofRank: rank).map { (rank: rank, phase: $0.phase, moves: $0.moves) }
    }
    return WatchdogCounters.isAnybodyBehind(rank: own, moves: heartbeat.moves, others: others)
  }

  private func end(with problem: Problem) {
    // MPI_Abort is called beside the rank's main thread, which waits in MPI for a rank that will not come. Should it
    // not return, the alarm ends this process, and with it the job.
    signal(SIGALRM, SIG_DFL)
    alarm(10)
    if hasEnded.load(ordering: .relaxed) { world.leave(with: problem) }
    world.fail(problem)
  }
}
