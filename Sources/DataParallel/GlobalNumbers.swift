import Kernels
import MPI
import Timing

/// The numbers beside the gradient that ranks without shared memory tell each other: the sums of squares of the blocks
/// that each of them looks at, the values of their shards, their notices.
struct GlobalNumbers {
  private(set) var shardValues: [Double]
  private(set) var notices: [Double]

  private let communicator: Communicator
  private let parts: GradientParts
  private var blockSums: [Double]
  private var scalars: ScalarExchange

  init(_ plan: ReductionPlan, communicator: Communicator) {
    self.communicator = communicator
    let parts = GradientParts(parts: plan.parts, ranks: communicator.size)
    self.parts = parts
    blockSums = Array(repeating: 0, count: parts.blockCount)
    shardValues = Array(repeating: 0, count: plan.shardCount)
    notices = Array(repeating: 0, count: communicator.size)
    scalars = ScalarExchange(parts: parts, shards: plan.shards)
  }

  /// The norm of a gradient that every rank has whole; each sums the squares of its share. Block sums are added in index
  /// order, whoever computed them. The shard values and notices of all ranks are known afterwards.
  mutating func norm(
    of gradient: UnsafePointer<Float>, changed: [Range<Int>], ownShardValues: UnsafeBufferPointer<Double>,
    notice: Double, clock: StepClock
  ) throws -> Double {
    clock.enter(.update)
    blockSums.withUnsafeMutableBufferPointer {
      parts.squaredSums(ofRank: communicator.rank, changed: changed, gradient: gradient, sums: $0.baseAddress!)
    }
    notices[communicator.rank] = notice
    clock.enter(.wait)
    try scalars.exchange(
      on: communicator, blockSums: &blockSums, own: ownShardValues, shardValues: &shardValues, notices: &notices)
    return blockSums.reduce(0, +).squareRoot()
  }
}
