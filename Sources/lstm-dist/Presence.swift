import Checkpoints
import DataParallel
import MPI
import Synchronization

/// This rank's part in the heartbeat of the run, from the moment at which the run is locked to the end of the job.
final class Presence: Sendable {
  private let heartbeat = Mutex<Heartbeat?>(nil)

  /// Begins to beat. Nil where this rank cannot reach the file, as on a host that does not share the run's file system;
  /// rank 0 says so.
  func begin(world: World, _ directory: RunDirectory) throws -> Heartbeat? {
    let (rank, size) = (world.communicator.rank, world.communicator.size)
    let own = try? Heartbeat(directory, rank: rank, ranks: size)
    heartbeat.withLock { $0 = own }
    return own
  }

  /// Says that this rank leaves in good order.
  func end() {
    heartbeat.withLock { $0?.enter(.ended, step: 0) }
  }

  /// A job that ends with a message of its own leaves nothing for the next one to explain, unless a peer was lost.
  func failing(_ exitCode: Int32) {
    if exitCode != 77 { heartbeat.withLock { $0?.remove() } }
  }
}
