import MPI
import Timing

/// Adds gradients by `MPI_Allreduce`, after the whole backward pass. Every rank ends up with the whole gradient and
/// updates all parameters.
final class AllReduceReducer: Reducer {
  let ownedRanges: [Range<Int>]
  let embedding: Range<Int>?
  var sum: UnsafeMutablePointer<Float> { memory.gradient(0) }
  var shardValues: [Double] { norm.shardValues }
  var stopFlags: [Double] { norm.stopFlags }
  /// Every element is taken for changed.
  var changedRanges: [Range<Int>] { ownedRanges }

  private let plan: ReductionPlan
  private let memory: GradientMemory
  private let communicator: Communicator
  private let clock: StepClock
  private var submitted: [Int] = []
  private var norm: GlobalNorm

  /// For two ranks or more.
  init(_ plan: ReductionPlan, memory: GradientMemory, world: World, clock: StepClock) {
    self.plan = plan
    ownedRanges = plan.parts
    embedding = plan.embeddingRange
    self.memory = memory
    self.clock = clock
    communicator = world.communicator
    norm = GlobalNorm(plan, communicator: world.communicator)
  }

  func submit(part: Int, rowsSeen: [Int32]) { submitted.append(part) }

  func poll() {}

  func finish(ownShardValues: UnsafeBufferPointer<Double>, stopFlag: Double) throws -> Double {
    for part in submitted { try allReduce(part: part) }
    submitted.removeAll(keepingCapacity: true)
    plan.join(sum, changed: changedRanges)
    return try norm.agree(
      on: sum, changed: changedRanges, ownShardValues: ownShardValues, stopFlag: stopFlag, clock: clock)
  }

  private func allReduce(part: Int) throws {
    let range = ownedRanges[part]
    clock.enter(.reduction, part: part)
    memory.addSubtrees(in: range)
    clock.enter(.wait, part: part)
    clock.submitted(part: part)
    try communicator.allReduce(UnsafeMutableBufferPointer(start: sum + range.lowerBound, count: range.count), .sum)
    clock.arrived(part: part)
  }
}
