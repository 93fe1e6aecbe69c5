import Glibc
import MPI
import Plan
import Problems

/// Which ranks share memory with this one, decided by all ranks together.
package struct NodeSharing: Sendable {
  /// The ranks of this node, which share, in the order of the world; nil where none do.
  package let node: Communicator?
  /// Who is on which node, where there are several.
  package let nodes: NodePlan?
  /// The ranks that hold the copies of their nodes, the first rank of each; nil on other ranks, and where none share.
  package let holders: Communicator?
  /// Why memory is not shared although there are several ranks; nil where it is, or was not wanted.
  package let obstacle: String?

  /// Ranks that use one copy.
  package var ranks: Int { node?.size ?? 1 }

  /// Whether a rank of the world writes to the memory of rank 0, or is rank 0.
  package func sharesWithRoot(rank: Int) -> Bool {
    node == nil ? rank == 0 : nodes.map { $0.place(ofRank: rank).node == 0 } ?? true
  }

  /// Each rank for itself.
  package static let none = NodeSharing(obstacle: nil)

  private init(obstacle: String?) { (node, nodes, holders, self.obstacle) = (nil, nil, nil, obstacle) }

  /// The ranks of `node` share, and those of every other node. Collective.
  package init(node: Communicator, world: World) throws {
    let first = try node.broadcast(world.communicator.rank, root: 0)
    let nodes = NodePlan(firstRanks: try world.communicator.allGather(first))
    self.node = node
    self.nodes = nodes.nodes.count > 1 ? nodes : nil
    holders = try world.communicator.split(color: node.rank == 0 ? 0 : nil, key: world.communicator.rank)
    obstacle = nil
  }

  /// Compares the wish with what the node has. Collective; every rank comes to the same end.
  /// - Parameter neededBytes: of shared memory on a node with this many ranks.
  /// - Throws: exit code 78 where sharing is `on` and impossible.
  package static func decide(
    _ wish: SharedMemory, reduction: ReductionMethod, world: World, neededBytes: (_ ranks: Int) -> Int
  ) throws -> NodeSharing {
    let size = world.communicator.size
    guard size > 1, wish != .off else { return .none }
    let node = try world.communicator.splitBySharedMemory(key: world.communicator.rank)
    let mostRanks = try world.communicator.allReduce(node.size, .maximum)
    let needed = neededBytes(mostRanks)
    let free = try world.communicator.allReduce(freeBytes(), .minimum)
    let obstacle: String? =
      if reduction == .mpi {
        "distributed.reduction mpi uses messages"
      } else if mostRanks == 1 {
        "every rank is on a node of its own"
      } else if needed > free {
        "/dev/shm has \(free >> 20) MB free, and \(needed >> 20) MB are needed"
      } else {
        nil
      }
    guard let obstacle else { return try NodeSharing(node: node, world: world) }
    guard wish == .auto else {
      throw Problem(
        .badConfiguration,
        "memory cannot be shared — expected nodes with several ranks and room for \(needed >> 20) MB in /dev/shm, got: "
          + "\(obstacle)", hint: "set distributed.sharedMemory to auto or off")
    }
    return NodeSharing(obstacle: mostRanks == 1 ? nil : obstacle)
  }

  private static func freeBytes() -> Int {
    var space = statvfs()
    guard statvfs("/dev/shm", &space) == 0 else { return 0 }
    return Int(clamping: space.f_bavail) * Int(clamping: space.f_frsize)
  }
}
