import Kernels
import MPI

/// How gradients are added over ranks.
public enum Reduction: String, CaseIterable, Sendable {
  /// In the order of the summation tree over logical shards: the same bits for every number of ranks.
  case reproducible
  /// By `MPI_Allreduce`, whose order of additions the standard leaves open.
  case mpi
}

/// Adds the gradients of all ranks, part after part of the model, in the order in which the backward pass finishes
/// them: `submit` starts a part, `poll` lets MPI make progress, `finish` waits for all.
///
/// Reproducible, for P ranks and one part of n numbers: every rank owns a slice of about n/P; it receives that slice of
/// every subtree sum of the other ranks (all-to-all) and adds them in tree order. Afterwards the owners' slices are the
/// global gradient. Where P and S are powers of two each rank sends (P − 1)/P·n numbers, and as many when the updated
/// parameters are gathered: the bytes of the best all-reduce.
///
/// With `mpi` every rank ends up with the whole gradient and owns all of it.
final class Reducer {
  /// The ranges of the flat gradient that this rank owns after `finish`, ascending.
  let ownedRanges: [Range<Int>]
  /// Seconds spent in `finish`.
  private(set) var waitSeconds = 0.0

  private let communicator: Communicator
  private let world: World
  private let reduction: Reduction
  private let parts: GradientParts
  private let memory: GradientMemory
  /// Subtrees of each rank.
  private let subtrees: [[Range<Int>]]
  private let treeSum: TreeSum
  private let scratch: FloatBuffer
  /// For each part, what other ranks send of this rank's slice, subtree after subtree in tree order.
  private let received: [Received]
  private var requests = RequestQueue<Exchange<Float>>()
  private var submitted: [Int] = []

  /// The slices of one part that come from other ranks.
  private final class Received {
    let buffer: FloatBuffer
    init(count: Int) { buffer = FloatBuffer(count: count) }
  }

  init(
    world: World, reduction: Reduction, shardCount: Int, shardsOfRank: (Int) -> Range<Int>, parts: [Range<Int>],
    memory: GradientMemory
  ) {
    self.world = world
    communicator = world.communicator
    self.reduction = reduction
    self.memory = memory
    let (rank, size) = (communicator.rank, communicator.size)
    let cut = GradientParts(parts: parts, ranks: reduction == .mpi ? 1 : size)
    self.parts = cut
    let owner = reduction == .mpi ? 0 : rank
    ownedRanges = parts.indices.map { cut.slice(ofPart: $0, rank: owner) }
    let subtrees = (0..<size).map { SummationTree.subtrees(of: shardsOfRank($0), leafCount: shardCount) }
    self.subtrees = subtrees
    treeSum = TreeSum(leafCount: shardCount, subtrees: subtrees.flatMap { $0 })
    scratch = FloatBuffer(count: treeSum.scratchCount)
    let remote = subtrees.enumerated().reduce(0) { $0 + ($1.offset == rank ? 0 : $1.element.count) }
    received = parts.indices.map {
      Received(count: reduction == .mpi || size == 1 ? 0 : remote * cut.slice(ofPart: $0, rank: rank).count)
    }
  }
}
