import Kernels

/// One rank's side of a sum that all ranks of a node read from each other's memory; knows no MPI: `SharedMemoryReducer`
/// gives it the memory, and says when all ranks have come to the same place.
///
///     publish(rows:)   before the ranks meet
///     findChangedRanges, sum(part:) of every part, joinShared, publish(shardValues:)
///     readScalars      after they have met again
///
/// Of the embedding's gradient only the rows are summed that some rank has: elsewhere all leaves of the tree are +0.0,
/// and so is the sum.
package final class SharedSum {
  package let ownedRanges: [Range<Int>]
  package private(set) var changedRanges: [Range<Int>] = []
  package private(set) var shardValues: [Double]
  package private(set) var stopFlags: [Double]

  private let rank: Int
  private let plan: ReductionPlan
  private let parts: GradientParts
  private let treeSum: TreeSum
  private let scratch: FloatBuffer
  private let gradient: UnsafeMutablePointer<Float>
  /// The gradients of all subtrees, rank after rank.
  private let sources: [UnsafePointer<Float>]
  private var blockSums: [Double]
  /// Of each rank: sums of squares of the blocks that it owns, values of its shards, its stop flag; then a bit for each
  /// row that it has seen.
  private let segments: [UnsafeMutableRawPointer]
  private let bitsOffset: Int

  private var isAlone: Bool { segments.count == 1 }

  /// - Parameters:
  ///   - gradient: the gradient of a subtree of a rank. That of this rank's subtree 0 holds the result.
  ///   - segment: `scalarBytes` bytes of each rank.
  package init(
    _ plan: ReductionPlan, rank: Int, gradient: (_ rank: Int, _ subtree: Int) -> UnsafeMutablePointer<Float>,
    segment: (_ rank: Int) -> UnsafeMutableRawPointer
  ) {
    self.rank = rank
    self.plan = plan
    let parts = GradientParts(parts: plan.parts, ranks: plan.shards.count)
    self.parts = parts
    ownedRanges = parts.parts.indices.map { parts.slice(ofPart: $0, rank: rank) }
    let subtrees = plan.subtrees
    treeSum = TreeSum(root: 0..<plan.shardCount, subtrees: subtrees.flatMap { $0 })
    scratch = FloatBuffer(count: treeSum.scratchCount)
    self.gradient = gradient(rank, 0)
    sources = subtrees.enumerated().flatMap { rank, subtrees in
      subtrees.indices.map { UnsafePointer(gradient(rank, $0)) }
    }
    blockSums = Array(repeating: 0, count: parts.blockCount)
    shardValues = Array(repeating: 0, count: plan.shardCount)
    stopFlags = Array(repeating: 0, count: plan.shards.count)
    bitsOffset = SharedSum.bitsOffset(plan, parts)
    segments = plan.shards.indices.map(segment)
    changedRanges.reserveCapacity(parts.parts.count + (plan.embedding?.rows ?? 0))
  }

  private static func bitsOffset(_ plan: ReductionPlan, _ parts: GradientParts) -> Int {
    (parts.blockCount + plan.shardCount + 1) * MemoryLayout<Double>.stride
  }

  /// Bytes of each rank's scalars and bits.
  package static func scalarBytes(_ plan: ReductionPlan) -> Int {
    bitsOffset(plan, GradientParts(parts: plan.parts, ranks: plan.shards.count))
      + RowBits.wordCount(rows: plan.embedding?.rows ?? 0) * MemoryLayout<UInt64>.stride
  }

  // MARK: Rows that have been seen

  /// The rows of the embedding that this rank's gradient has, ascending.
  package func publish(rows: [Int32]) { if plan.embedding != nil { seen(ofRank: rank).set(rows) } }

  private func seen(ofRank rank: Int) -> RowBits {
    RowBits((segments[rank] + bitsOffset).assumingMemoryBound(to: UInt64.self), rows: plan.embedding?.rows ?? 0)
  }

  package func findChangedRanges() {
    changedRanges.removeAll(keepingCapacity: true)
    plan.appendChangedRanges(of: ownedRanges, ranks: segments.count, seen: seen(ofRank:), to: &changedRanges)
  }

  // MARK: Sums

  /// Sums the changed ranges of a part from the memory of all ranks, and the squares of each block while it is in the
  /// cache.
  package func sum(part: Int) {
    parts.squaredSums(
      ofPart: part, rank: rank, changed: changedRanges[...], gradient: gradient, sums: values(ofRank: rank)
    ) { elements in
      // A single rank's gradient is the sum already.
      guard !isAlone else { return }
      treeSum.add(
        sources, at: elements.lowerBound, into: gradient + elements.lowerBound, count: elements.count,
        scratch: scratch.pointer)
    }
  }

  /// Of tied weights: the squares of the shared matrix are those of the joined gradient.
  package func joinShared() {
    guard let shared = plan.sharedPart else { return }
    plan.join(gradient, changed: changedRanges)
    let sums = values(ofRank: rank)
    parts.squaredSums(ofPart: 0, rank: rank, changed: [], gradient: gradient, sums: sums)
    parts.squaredSums(ofPart: shared, rank: rank, changed: changedRanges[...], gradient: gradient, sums: sums)
  }

  // MARK: Scalars

  private func values(ofRank rank: Int) -> UnsafeMutablePointer<Double> {
    segments[rank].assumingMemoryBound(to: Double.self)
  }

  /// The values of this rank's shards, and its stop flag.
  package func publish(shardValues own: UnsafeBufferPointer<Double>, stopFlag: Double) {
    let values = values(ofRank: rank)
    for (shard, value) in zip(plan.shards[rank], own) { values[parts.blockCount + shard] = value }
    values[parts.blockCount + plan.shardCount] = stopFlag
  }

  /// Reads what all ranks have published.
  /// - Returns: the global norm. Block sums are added in index order, whoever computed them.
  package func readScalars() -> Double {
    for other in segments.indices {
      let values = values(ofRank: other)
      for part in parts.parts.indices {
        for block in parts.blocks(ofPart: part, rank: other) {
          blockSums[parts.firstBlock[part] + block] = values[parts.firstBlock[part] + block]
        }
      }
      for shard in plan.shards[other] { shardValues[shard] = values[parts.blockCount + shard] }
      stopFlags[other] = values[parts.blockCount + plan.shardCount]
    }
    return blockSums.reduce(0, +).squareRoot()
  }
}
