import MPI
import Timing

/// Adds gradients that travel between ranks as messages, in the order of the summation tree. Every rank ends up with
/// the whole gradient and updates all parameters.
final class MessageReducer: Reducer {
  let ownedRanges: [Range<Int>]
  let embedding: Range<Int>?
  var sum: UnsafeMutablePointer<Float> { memory.gradient(0) }
  var shardValues: [Double] { numbers.shardValues }
  var stopWords: [Double] { numbers.stopWords }
  var changedRanges: [Range<Int>] { exchange.changedRanges }

  private let plan: ReductionPlan
  private let exchange: GradientExchange
  private let memory: GradientMemory
  private let clock: StepClock
  private var numbers: GlobalNumbers

  /// Collective, for two ranks or more.
  init(_ plan: ReductionPlan, memory: GradientMemory, world: World, clock: StepClock) throws {
    self.plan = plan
    ownedRanges = plan.parts
    embedding = plan.embeddingRange
    self.memory = memory
    self.clock = clock
    exchange = try GradientExchange(
      ExchangePlan(plan), memory: memory, communicator: world.communicator, world: world, clock: clock)
    runs = exchange.pieceCount(ofPart: plan.embedding == nil ? 0 : 1) > 1 ? 3 : 1
    numbers = GlobalNumbers(plan, communicator: world.communicator)
  }

  /// Two thirds of the lowest layer's gradient have set out when the last one is there, where it is of several pieces.
  let runs: Int

  func submit(part: Int, first numbers: Int) { exchange.submit(part: part, first: numbers) }

  func submit(part: Int, rowsSeen: [Int32]) { exchange.submit(part: part, rowsSeen: rowsSeen) }

  func poll() { exchange.poll() }

  func finish(ownShardValues: UnsafeBufferPointer<Double>, stopWord: Double) throws -> Double {
    exchange.finish()
    plan.join(sum, changed: changedRanges)
    return try numbers.norm(
      of: sum, changed: plan.ofParameters(changedRanges), ownShardValues: ownShardValues, stopWord: stopWord,
      clock: clock)
  }
}
