import Kernels
import MPI
import Timing

/// Adds gradients that travel between ranks as messages.
///
/// Reproducible, for P ranks and one part of n numbers: every rank owns a slice of about n/P; it receives that slice of
/// every subtree sum of the other ranks (all-to-all) and adds them in tree order. Afterwards the owners' slices are the
/// global gradient. Where P and S are powers of two each rank sends (P − 1)/P·n numbers, and as many when the updated
/// parameters are gathered: the bytes of the best all-reduce.
///
/// With `mpi` every rank ends up with the whole gradient and owns all of it.
final class MessageReducer: Reducer {
  let ownedRanges: [Range<Int>]

  private let world: World
  private let reduction: Reduction
  private let parts: GradientParts
  private let exchange: SliceExchange
  private let memory: GradientMemory
  private let clock: StepClock
  private var requests = RequestQueue<Exchange<Float>>()
  private var submitted: [Int] = []
  private var blockSums: [Double]
  private(set) var shardValues: [Double]
  private(set) var notices: [Double]
  /// For each part, what each rank owns of it.
  private let slices: [Segments]
  private var scalars: ScalarExchange

  private let clearsEmbedding: Bool

  private var communicator: Communicator { world.communicator }

  /// Every number of the owned ranges is taken for changed.
  var changedRanges: [Range<Int>] { ownedRanges }

  /// For two ranks or more.
  init(_ plan: ReductionPlan, reduction: Reduction, memory: GradientMemory, world: World, clock: StepClock) {
    self.world = world
    self.clock = clock
    clearsEmbedding = plan.embedding != nil
    let parts = plan.parts
    self.reduction = reduction
    self.memory = memory
    let (rank, size) = (world.communicator.rank, world.communicator.size)
    // With `mpi` one owner has everything, and every rank is that owner.
    let cut = GradientParts(parts: parts, ranks: reduction == .mpi ? 1 : size)
    let owner = reduction == .mpi ? 0 : rank
    self.parts = cut
    ownedRanges = parts.indices.map { cut.slice(ofPart: $0, rank: owner) }
    exchange = SliceExchange(rank: rank, plan, parts: cut)
    blockSums = Array(repeating: 0, count: cut.blockCount)
    shardValues = Array(repeating: 0, count: plan.shardCount)
    notices = Array(repeating: 0, count: size)
    slices = cut.slices
    scalars = ScalarExchange(
      blocks: reduction == .mpi
        ? [] : (0..<size).map { rank in parts.indices.map { cut.blocks(ofPart: $0, rank: rank) } },
      parts: cut, shards: plan.shards)
  }

  func submit(part: Int) {
    submitted.append(part)
    guard reduction == .reproducible else { return }
    clock.submitted(part: part)
    do {
      for round in 0..<exchange.rounds {
        requests.append(try exchange.start(part: part, round: round, memory: memory, on: communicator))
      }
    } catch {
      world.fail(error)
    }
  }

  func poll() {
    do {
      if try requests.test() { clock.allArrived() }
    } catch {
      world.fail(error)
    }
  }

  func finish(ownShardValues: UnsafeBufferPointer<Double>, rowsSeen: [Int32], notice: Double) throws -> Double {
    for part in submitted {
      switch reduction {
      case .reproducible: receive(part: part)
      case .mpi: try allReduce(part: part)
      }
      let slice = ownedRanges[part]
      clock.enter(.update, part: part)
      let owned = parts.blocks(ofPart: part, rank: reduction == .mpi ? 0 : communicator.rank)
      blockSums.withUnsafeMutableBufferPointer { sums in
        blockSquaredSums(
          memory.gradient(0) + slice.lowerBound, count: slice.count,
          sums: sums.baseAddress! + (parts.firstBlock[part] + owned.lowerBound))
      }
    }
    submitted.removeAll(keepingCapacity: true)
    notices[communicator.rank] = notice
    clock.enter(.wait)
    try scalars.exchange(
      on: communicator, blockSums: &blockSums, own: ownShardValues, shardValues: &shardValues, notices: &notices)
    // Block sums are added in index order, whoever computed them.
    return blockSums.reduce(0, +).squareRoot()
  }

  func shareUpdates(_ values: UnsafeMutablePointer<Float>) throws {
    guard reduction == .reproducible else { return }
    for (part, range) in parts.parts.enumerated() {
      try communicator.allGatherV(
        inPlace: UnsafeMutableBufferPointer(start: values + range.lowerBound, count: range.count),
        slices[part])
    }
  }

  func clearEmbedding() {
    guard clearsEmbedding else { return }
    (memory.gradient(0) + ownedRanges[0].lowerBound).update(repeating: 0, count: ownedRanges[0].count)
  }

  func gatherToRoot(_ owned: UnsafeMutableBufferPointer<Float>, into all: UnsafeMutablePointer<Float>?) throws {
    if reduction == .mpi {
      all?.update(from: owned.baseAddress!, count: owned.count)
    } else {
      try gather(owned, into: all, parts: parts, slices: slices, on: communicator)
    }
  }

  // MARK: One part

  private func receive(part: Int) {
    clock.enter(.wait, part: part)
    do {
      for _ in 0..<exchange.rounds { _ = try requests.waitForFirst() }
    } catch {
      world.fail(error)
    }
    clock.arrived(part: part)
    clock.enter(.reduction, part: part)
    exchange.sum(part: part, memory: memory)
  }

  private func allReduce(part: Int) throws {
    let range = parts.parts[part]
    let first = memory.gradient(0) + range.lowerBound
    clock.enter(.reduction, part: part)
    for subtree in 1..<max(1, memory.subtrees) {
      add(first, memory.gradient(subtree) + range.lowerBound, count: range.count)
    }
    clock.enter(.wait, part: part)
    clock.submitted(part: part)
    try communicator.allReduce(UnsafeMutableBufferPointer(start: first, count: range.count), .sum)
    clock.arrived(part: part)
  }
}

/// Rank 0 gets, part after part, what each rank holds of its owned ranges.
func gather(
  _ owned: UnsafeMutableBufferPointer<Float>, into all: UnsafeMutablePointer<Float>?, parts: GradientParts,
  slices: [Segments], on communicator: Communicator
) throws {
  var first = 0
  for (part, range) in parts.parts.enumerated() {
    let count = slices[part].counts[communicator.rank]
    let mine = UnsafeBufferPointer(rebasing: owned[first..<first + count])
    first += count
    let destination = UnsafeMutableBufferPointer(
      start: all.map { $0 + range.lowerBound }, count: all == nil ? 0 : range.count)
    try communicator.gatherV(mine, into: destination, slices[part], root: 0)
  }
}
