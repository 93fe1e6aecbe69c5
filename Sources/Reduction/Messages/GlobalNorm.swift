import MPI
import Timing

/// The norm of a gradient whose blocks several ranks have, by messages; with it go the other scalars that every rank
/// needs of every other: the values of its shards and its stop flag.
struct GlobalNorm {
  private(set) var shardValues: [Double]
  private(set) var stopFlags: [Double]

  private let communicator: Communicator
  private var share: NormShare
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
    share = NormShare(plan, parts: parts, owner: owners[communicator.rank])
    shardValues = Array(repeating: 0, count: plan.shardCount)
    stopFlags = Array(repeating: 0, count: communicator.size)
    scalars = ScalarExchange(ScalarLayout(parts: parts, owners: owners, shards: plan.shards))
  }

  /// The norm of a joined gradient of which every owner has its blocks at least. The shard values and stop flags of all
  /// ranks are known afterwards.
  mutating func agree(
    on gradient: UnsafePointer<Float>, changed: [Range<Int>], ownShardValues: UnsafeBufferPointer<Double>,
    stopFlag: Double, clock: StepClock
  ) throws -> Double {
    clock.enter(.update)
    share.square(gradient, changed: changed)
    stopFlags[communicator.rank] = stopFlag
    clock.enter(.wait)
    try scalars.exchange(
      on: communicator, blockSums: &share.blockSums, own: ownShardValues, shardValues: &shardValues,
      stopFlags: &stopFlags)
    return share.norm
  }
}
