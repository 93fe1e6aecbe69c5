import MPI
import Timing

/// Adds gradients that travel between ranks as messages, in the order of the summation tree. Every rank ends up with
/// the whole gradient and updates all parameters.
final class MessageReducer: EarlyReducer {
  let ownedRanges: [Range<Int>]
  let embedding: Range<Int>?
  var sum: UnsafeMutablePointer<Float> { memory.gradient(0) }
  var shardValues: [Double] { norm.shardValues }
  var stopFlags: [Double] { norm.stopFlags }
  var changedRanges: [Range<Int>] { exchange.changedRanges }
  /// Two thirds of the lowest layer's gradient have departed when the last one is final, where it is of several buckets.
  let runs: Int

  private let plan: ReductionPlan
  private let exchange: GradientExchange
  private let memory: GradientMemory
  private let clock: StepClock
  private var norm: GlobalNorm

  /// Collective, for two ranks or more.
  init(_ plan: ReductionPlan, memory: GradientMemory, world: World, clock: StepClock) throws {
    self.plan = plan
    ownedRanges = plan.parts
    embedding = plan.embeddingRange
    self.memory = memory
    self.clock = clock
    exchange = try GradientExchange(
      ExchangePlan(plan), memory: memory, communicator: world.communicator, world: world, clock: clock)
    runs = exchange.bucketCount(ofPart: plan.embedding == nil ? 0 : 1) > 1 ? 3 : 1
    norm = GlobalNorm(plan, communicator: world.communicator)
  }

  func submit(part: Int, first elements: Int) { exchange.submit(part: part, first: elements) }

  func submit(part: Int, rowsSeen: [Int32]) { exchange.submit(part: part, rowsSeen: rowsSeen) }

  func poll() { exchange.poll() }

  func finish(ownShardValues: UnsafeBufferPointer<Double>, stopFlag: Double) throws -> Double {
    exchange.finish()
    plan.join(sum, changed: changedRanges)
    return try norm.agree(
      on: sum, changed: changedRanges, ownShardValues: ownShardValues, stopFlag: stopFlag, clock: clock)
  }
}
