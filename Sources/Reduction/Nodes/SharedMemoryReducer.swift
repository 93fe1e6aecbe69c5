import MPI
import Timing

/// Adds gradients that all ranks of a node read where they are: nothing travels. Each rank sums its ranges straight
/// from the others' memory, in the order of the summation tree, and updates them in the one copy of the parameters.
/// `SharedSum` says what a rank reads and writes; here ranks meet.
final class SharedMemoryReducer: Reducer {
  var ownedRanges: [Range<Int>] { own.ownedRanges }
  var embedding: Range<Int>? { plan.embeddingRange }
  var sum: UnsafeMutablePointer<Float> { memory.gradient(0) }
  var changedRanges: [Range<Int>] { own.changedRanges }
  var shardValues: [Double] { own.shardValues }
  var stopFlags: [Double] { own.stopFlags }

  private let plan: ReductionPlan
  private let memory: GradientMemory
  private let scalars: NodeMemory
  private let own: SharedSum
  private let isAlone: Bool
  private let clock: StepClock

  /// Collective over `node`; nil for a rank alone.
  init(_ plan: ReductionPlan, memory: GradientMemory, world: World, node: Communicator?, clock: StepClock) throws {
    self.clock = clock
    self.plan = plan
    self.memory = memory
    isAlone = world.communicator.size == 1
    let scalars = try NodeMemory(byteCount: SharedSum.scalarBytes(plan), node: node)
    self.scalars = scalars
    own = SharedSum(
      plan, rank: world.communicator.rank, gradient: { memory.gradient($1, ofRank: $0) },
      segment: scalars.memory(ofRank:))
  }

  /// There is nothing to start: the gradient is where the others read it.
  func submit(part: Int, rowsSeen: [Int32]) {
    if part == 0 { own.publish(rows: rowsSeen) }
    if !isAlone { clock.ready(part: part) }
  }

  func poll() {}

  func finish(ownShardValues: UnsafeBufferPointer<Double>, stopFlag: Double) throws -> Double {
    try scalars.barrier()
    clock.allReady()
    clock.enter(isAlone ? .update : .reduction)
    own.findChangedRanges()
    for part in plan.parts.indices {
      if !isAlone { clock.enter(.reduction, part: part) }
      own.sum(part: part)
      if !isAlone { clock.read(part: part) }
    }
    clock.enter(.update)
    own.joinShared()
    own.publish(shardValues: ownShardValues, stopFlag: stopFlag)
    clock.enter(.wait)
    try scalars.barrier()
    return own.readScalars()
  }
}
