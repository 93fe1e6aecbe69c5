import Configuration
import JobHealth
import MPI
import Runs
import Synchronization

/// This rank's part in watching over the ranks: among those of its node from the first collective of a command on, and
/// in the heartbeat of the run, with all ranks, from the moment at which the run is locked; to the end of the job.
final class Presence: Sendable {
  private struct Watch {
    let heartbeat: Heartbeat
    let watchdog: Watchdog
  }
  private struct State {
    var node: Watch?
    var run: Watch?
  }
  private let state = Mutex(State())

  /// The limit of a job that has not resolved its configuration, or has none: the default of watchdog.seconds.
  private static let usualSeconds = 60

  /// Begins to watch the other ranks of this node. Every rank calls it.
  func begin(world: World) throws {
    let (all, node) = (world.communicator, world.node)
    guard all.size > 1 else { return }
    let ranks = try node.allGather(all.rank)
    guard let heartbeat = try Heartbeat.ofNode(world) else {
      if node.rank == 0 {
        printError(
          "warning: \(node.size) ranks are not watched while they start — expected that they can share memory, got "
            + "containers that do not see each other")
      }
      return
    }
    let watchdog = try Watchdog(
      world: world, heartbeat: heartbeat, ranks: ranks, limitSeconds: Presence.usualSeconds, isPublisher: false)
    state.withLock { $0.node = Watch(heartbeat: heartbeat, watchdog: watchdog) }
  }

  /// Says what this rank is about, before there is a run.
  func enter(_ phase: RankPhase) { state.withLock { $0.node?.heartbeat.enter(phase, step: 0) } }

  /// The limit that the configuration sets.
  func allow(seconds: Int) { state.withLock { $0.node?.watchdog.allow(seconds: seconds) } }

  /// Begins to beat for the run, and to watch all its ranks. Nil where this rank cannot reach the file of the run that
  /// rank 0 has locked, as on a host that does not share the run's file system; rank 0 warns of it. Every rank calls it.
  func begin(world: World, _ directory: RunDirectory, _ configuration: Configuration) throws -> Heartbeat? {
    let all = world.communicator
    let identity = try all.broadcast(Array((directory.identity?.description ?? "").utf8), root: 0)
    let heartbeat = RunIdentity(String(decoding: identity, as: UTF8.self)).flatMap {
      try? Heartbeat(directory.opened(as: $0), rank: all.rank, ranks: all.size)
    }
    let ranks = try all.allGather(heartbeat == nil ? 0 : 1).enumerated().filter { $0.element == 1 }.map(\.offset)
    if ranks.count < all.size, all.rank == 0 {
      printError(
        "warning: \(all.size - ranks.count) of \(all.size) ranks are not watched from other hosts — expected that all can "
          + "write to \(directory.heartbeatPath)")
    }
    guard let heartbeat else {
      // The ranks of the node go on watching each other.
      enter(.working)
      return nil
    }
    let watchdog = try Watchdog(
      world: world, heartbeat: heartbeat, ranks: ranks, limitSeconds: configuration.watchdog.seconds,
      isPublisher: world.node.rank == 0)
    state.withLock { $0.run = Watch(heartbeat: heartbeat, watchdog: watchdog) }
    allow(seconds: 0)
    return heartbeat
  }

  /// Says that this rank leaves in good order.
  func end() {
    state.withLock {
      for watch in [$0.node, $0.run].compactMap({ $0 }) {
        watch.watchdog.end()
        watch.heartbeat.enter(.ended, step: 0)
      }
    }
  }

  /// A job that ends with a message of its own leaves nothing for the next one to explain, unless a peer was lost.
  func failing(_ exitCode: Int32) {
    if exitCode != 77 { state.withLock { $0.run?.heartbeat.remove() } }
  }
}
