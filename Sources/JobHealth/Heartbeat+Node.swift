import CSystem
import Glibc
import MPI

extension Heartbeat {
  /// The heartbeats of the ranks of this node, in memory that they share; nil where they cannot, as containers that do
  /// not see each other's processes. Every rank calls it.
  package static func ofNode(_ world: World) throws -> Heartbeat? {
    let (all, node) = (world.communicator, world.node)
    let made = node.rank == 0 ? system_memory_file() : -1
    if made >= 0 { ftruncate(made, off_t(byteCount(ranks: all.size))) }
    let file = try node.broadcast([Int(getpid()), Int(made)] + identity(made), root: 0)
    let descriptor = node.rank == 0 ? made : open("/proc/\(file[0])/fd/\(file[1])", O_RDWR | O_CLOEXEC)
    // Seen from another container that process may be another one.
    let isSame = descriptor >= 0 && identity(descriptor) == Array(file[2...])
    guard try node.allReduce(isSame ? 1 : 0, .minimum) == 1 else {
      if descriptor >= 0 { close(descriptor) }
      return nil
    }
    return try Heartbeat(memory: descriptor, rank: all.rank, ranks: all.size)
  }

  /// What tells an open file from all others of a machine.
  private static func identity(_ descriptor: Int32) -> [Int] {
    var file = stat()
    guard fstat(descriptor, &file) == 0 else { return [0, 0] }
    return [Int(truncatingIfNeeded: file.st_dev), Int(truncatingIfNeeded: file.st_ino)]
  }
}
