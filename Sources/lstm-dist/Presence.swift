import Checkpoints
import Configuration
import DataParallel
import MPI
import Synchronization

/// This rank's part in the heartbeat of the run, from the moment at which the run is locked to the end of the job.
final class Presence: Sendable {
  private struct State {
    var heartbeat: Heartbeat?
    var watchdog: Watchdog?
  }
  private let state = Mutex(State())

  /// Begins to beat, and to watch the other ranks. Nil where this rank cannot reach the file, as on a host that does
  /// not share the run's file system; rank 0 warns of it. Every rank calls it.
  func begin(world: World, _ directory: RunDirectory, _ configuration: Configuration) throws -> Heartbeat? {
    let all = world.communicator
    let heartbeat = try? Heartbeat(directory, rank: all.rank, ranks: all.size)
    let ranks = try all.allGather(heartbeat == nil ? 0 : 1).enumerated().filter { $0.element == 1 }.map(\.offset)
    let isFirstOfHost = try all.splitBySharedMemory(key: all.rank).rank == 0
    if ranks.count < all.size, all.rank == 0 {
      printError(
        "warning: \(all.size - ranks.count) of \(all.size) ranks are not watched — expected that all can write to "
          + directory.heartbeatPath)
    }
    guard let heartbeat else { return nil }
    let watchdog = try Watchdog(
      world: world, heartbeat: heartbeat, ranks: ranks, limitSeconds: configuration.watchdog.seconds,
      isPublisher: isFirstOfHost)
    state.withLock { $0 = State(heartbeat: heartbeat, watchdog: watchdog) }
    return heartbeat
  }

  /// Says that this rank leaves in good order.
  func end() {
    state.withLock {
      $0.watchdog?.end()
      $0.heartbeat?.enter(.ended, step: 0)
    }
  }

  /// A job that ends with a message of its own leaves nothing for the next one to explain, unless a peer was lost.
  func failing(_ exitCode: Int32) {
    if exitCode != 77 { state.withLock { $0.heartbeat?.remove() } }
  }
}
