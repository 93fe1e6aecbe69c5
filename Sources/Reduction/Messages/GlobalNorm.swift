import MPI
import Timing

/// The norm of a gradient whose blocks several ranks have, by messages; with it go the other scalars that every rank
/// needs of every other: the values of its shards and its stop flag.
struct GlobalNorm {
  private(set) var shardValues: [Double]
  private(set) var stopFlags: [Double]

  private let communicator: Communicator
  private let parts: GradientParts
  private let owner: Int?
  private var blockSums: [Double]
  private var scalars: ScalarExchange

  /// Every rank squares its share of a gradient that all have.
  init(_ plan: ReductionPlan, communicator: Communicator) {
    self.init(
      plan, parts: GradientParts(parts: plan.parts, ranks: communicator.size),
      owners: (0..<communicator.size).map { $0 }, communicator: communicator)
  }

  /// - Parameters:
  ///   - parts: whose blocks are squared by one rank each.
  ///   - owners: for each rank which of the owners of `parts` it is, nil for none.
  init(_ plan: ReductionPlan, parts: GradientParts, owners: [Int?], communicator: Communicator) {
    self.communicator = communicator
    self.parts = parts
    owner = owners[communicator.rank]
    blockSums = Array(repeating: 0, count: parts.blockCount)
    shardValues = Array(repeating: 0, count: plan.shardCount)
    stopFlags = Array(repeating: 0, count: communicator.size)
    scalars = ScalarExchange(parts: parts, owners: owners, shards: plan.shards)
  }

  /// The norm of a gradient of which every owner has its blocks at least. Block sums are added in index
  /// order, whoever computed them. The shard values and stop flags of all ranks are known afterwards.
  mutating func agree(
    on gradient: UnsafePointer<Float>, changed: ArraySlice<Range<Int>>, ownShardValues: UnsafeBufferPointer<Double>,
    stopFlag: Double, clock: StepClock
  ) throws -> Double {
    clock.enter(.update)
    if let owner {
      blockSums.withUnsafeMutableBufferPointer {
        for part in parts.parts.indices {
          parts.squaredSums(ofPart: part, rank: owner, changed: changed, gradient: gradient, sums: $0.baseAddress!)
        }
      }
    }
    stopFlags[communicator.rank] = stopFlag
    clock.enter(.wait)
    try scalars.exchange(
      on: communicator, blockSums: &blockSums, own: ownShardValues, shardValues: &shardValues, stopFlags: &stopFlags)
    return blockSums.reduce(0, +).squareRoot()
  }
}
