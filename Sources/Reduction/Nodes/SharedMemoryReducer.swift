import Kernels
import MPI
import Timing

/// Adds gradients that all ranks of a node read where they are: nothing travels. Each rank sums its ranges straight
/// from the others' memory, in the order of the summation tree, and updates them in the one copy of the parameters.
///
/// Of the embedding's gradient only the rows are summed that some rank has: elsewhere all leaves of the tree are +0.0,
/// and so is the sum.
final class SharedMemoryReducer: Reducer {
  let ownedRanges: [Range<Int>]
  var embedding: Range<Int>? { plan.embeddingRange }
  var sum: UnsafeMutablePointer<Float> { memory.gradient(0) }
  private var isAlone: Bool { communicator.size == 1 }
  private(set) var changedRanges: [Range<Int>] = []
  private(set) var shardValues: [Double]
  private(set) var stopFlags: [Double]

  private let rank: Int
  private let plan: ReductionPlan
  private let parts: GradientParts
  private let memory: GradientMemory
  private let communicator: Communicator
  private let clock: StepClock
  private let treeSum: TreeSum
  private let scratch: FloatBuffer
  /// The gradients of all subtrees, rank after rank.
  private let sources: [UnsafePointer<Float>]
  private var blockSums: [Double]
  /// Of each rank: sums of squares of the blocks that it owns, values of its shards, its stop flag; then a bit for each
  /// row that it has seen.
  private let scalars: NodeWindow
  private let bitsOffset: Int

  /// Collective over `node`; nil for a rank alone.
  init(_ plan: ReductionPlan, memory: GradientMemory, world: World, node: Communicator?, clock: StepClock) throws {
    self.clock = clock
    communicator = world.communicator
    rank = communicator.rank
    self.plan = plan
    self.memory = memory
    let parts = GradientParts(parts: plan.parts, ranks: communicator.size)
    self.parts = parts
    ownedRanges = parts.parts.indices.map { [rank] in parts.slice(ofPart: $0, rank: rank) }
    let subtrees = plan.subtrees
    treeSum = TreeSum(root: 0..<plan.shardCount, subtrees: subtrees.flatMap { $0 })
    scratch = FloatBuffer(count: treeSum.scratchCount)
    sources = subtrees.enumerated().flatMap { rank, subtrees in
      subtrees.indices.map { UnsafePointer(memory.gradient($0, ofRank: rank)) }
    }
    blockSums = Array(repeating: 0, count: parts.blockCount)
    shardValues = Array(repeating: 0, count: plan.shardCount)
    stopFlags = Array(repeating: 0, count: communicator.size)
    bitsOffset = (parts.blockCount + plan.shardCount + 1) * MemoryLayout<Double>.stride
    let words = RowBits.wordCount(rows: plan.embedding?.rows ?? 0)
    scalars = try NodeWindow(byteCount: bitsOffset + words * MemoryLayout<UInt64>.stride, node: node)
    changedRanges.reserveCapacity(parts.parts.count + (plan.embedding?.rows ?? 0))
  }

  /// There is nothing to start: the gradient is where the others read it.
  func submit(part: Int, rowsSeen: [Int32]) {
    if part == 0, plan.embedding != nil { seen(ofRank: rank).set(rowsSeen) }
    if !isAlone { clock.ready(part: part) }
  }

  func poll() {}

  func finish(ownShardValues: UnsafeBufferPointer<Double>, stopFlag: Double) throws -> Double {
    try scalars.barrier()
    clock.allReady()
    clock.enter(isAlone ? .update : .reduction)
    findChangedRanges()
    readAll()
    clock.enter(.update)
    joinShared()
    for (shard, value) in zip(plan.shards[rank], ownShardValues) {
      values(ofRank: rank)[parts.blockCount + shard] = value
    }
    values(ofRank: rank)[parts.blockCount + plan.shardCount] = stopFlag
    clock.enter(.wait)
    try scalars.barrier()
    readScalars()
    // Block sums are added in index order, whoever computed them.
    return blockSums.reduce(0, +).squareRoot()
  }

  /// Sums the changed ranges from the memory of all ranks, part after part, and the squares of each block while it is
  /// in the cache.
  private func readAll() {
    for part in parts.parts.indices {
      if !isAlone { clock.enter(.reduction, part: part) }
      parts.squaredSums(
        ofPart: part, rank: rank, changed: changedRanges[...], gradient: sum, sums: values(ofRank: rank)
      ) { elements in
        // A single rank's gradient is the sum already.
        guard !isAlone else { return }
        treeSum.add(
          sources, at: elements.lowerBound, into: sum + elements.lowerBound, count: elements.count,
          scratch: scratch.pointer)
      }
      if !isAlone { clock.read(part: part) }
    }
  }

  /// Of tied weights: the squares of the shared matrix are those of the joined gradient.
  private func joinShared() {
    guard let shared = plan.sharedPart else { return }
    plan.join(sum, changed: changedRanges)
    let sums = values(ofRank: rank)
    parts.squaredSums(ofPart: 0, rank: rank, changed: [], gradient: sum, sums: sums)
    parts.squaredSums(ofPart: shared, rank: rank, changed: changedRanges[...], gradient: sum, sums: sums)
  }

  // MARK: Rows that have been seen

  private func seen(ofRank rank: Int) -> RowBits {
    RowBits(
      (scalars.segment(ofRank: rank) + bitsOffset).assumingMemoryBound(to: UInt64.self), rows: plan.embedding?.rows ?? 0
    )
  }

  private func findChangedRanges() {
    changedRanges.removeAll(keepingCapacity: true)
    plan.appendChangedRanges(of: ownedRanges, ranks: communicator.size, seen: seen(ofRank:), to: &changedRanges)
  }

  // MARK: Scalars

  private func values(ofRank rank: Int) -> UnsafeMutablePointer<Double> {
    scalars.segment(ofRank: rank).assumingMemoryBound(to: Double.self)
  }

  private func readScalars() {
    for other in 0..<communicator.size {
      let values = values(ofRank: other)
      for part in parts.parts.indices {
        for block in parts.blocks(ofPart: part, rank: other) {
          blockSums[parts.firstBlock[part] + block] = values[parts.firstBlock[part] + block]
        }
      }
      for shard in plan.shards[other] { shardValues[shard] = values[parts.blockCount + shard] }
      stopFlags[other] = values[parts.blockCount + plan.shardCount]
    }
  }
}
