import Kernels
import MPI
import Timing

/// How gradients are added over ranks.
public enum Reduction: String, CaseIterable, Sendable {
  /// In the order of the summation tree over logical shards: the same bits for every number of ranks.
  case reproducible
  /// By `MPI_Allreduce`, whose order of additions the standard leaves open.
  case mpi
}

/// Adds the gradients of all ranks, part after part of the model, in the order in which the backward pass finishes
/// them: `submit` starts a part, `poll` lets MPI make progress, `finish` waits for all.
///
/// Reproducible, for P ranks and one part of n numbers: every rank owns a slice of about n/P; it receives that slice of
/// every subtree sum of the other ranks (all-to-all) and adds them in tree order. Afterwards the owners' slices are the
/// global gradient. Where P and S are powers of two each rank sends (P − 1)/P·n numbers, and as many when the updated
/// parameters are gathered: the bytes of the best all-reduce.
///
/// With `mpi` every rank ends up with the whole gradient and owns all of it.
final class Reducer {
  /// The ranges of the flat gradient that this rank owns after `finish`, ascending.
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
  /// The value of every shard, after `finish`.
  private(set) var shardValues: [Double]
  /// For each part, what each rank owns of it.
  private let slices: [Segments]
  private var scalars: ScalarExchange

  private var communicator: Communicator { world.communicator }
  private var isAlone: Bool { communicator.size == 1 }

  init(
    world: World, reduction: Reduction, shardCount: Int, shardsOfRank: (Int) -> Range<Int>, parts: [Range<Int>],
    memory: GradientMemory, clock: StepClock
  ) {
    self.world = world
    self.reduction = reduction
    self.memory = memory
    self.clock = clock
    let (rank, size) = (world.communicator.rank, world.communicator.size)
    // With `mpi` one owner has everything, and every rank is that owner.
    let cut = GradientParts(parts: parts, ranks: reduction == .mpi ? 1 : size)
    let owner = reduction == .mpi ? 0 : rank
    self.parts = cut
    ownedRanges = parts.indices.map { cut.slice(ofPart: $0, rank: owner) }
    exchange = SliceExchange(rank: rank, size: size, shardCount: shardCount, shardsOfRank: shardsOfRank, parts: cut)
    blockSums = Array(repeating: 0, count: cut.blockCount)
    shardValues = Array(repeating: 0, count: shardCount)
    slices = parts.indices.map { part in
      let slices = (0..<cut.ranks).map { cut.slice(ofPart: part, rank: $0) }
      return Segments(counts: slices.map(\.count), displacements: slices.map { $0.lowerBound - parts[part].lowerBound })
    }
    scalars = ScalarExchange(
      blocks: reduction == .mpi
        ? [] : (0..<size).map { rank in parts.indices.map { cut.blocks(ofPart: $0, rank: rank) } },
      parts: cut, shards: (0..<size).map(shardsOfRank))
  }

  /// The gradient of a part stands in every subtree's gradient, and is not touched until `finish`.
  func submit(part: Int) {
    submitted.append(part)
    guard !isAlone, reduction == .reproducible else { return }
    clock.submitted(part: part)
    do {
      for round in 0..<exchange.rounds {
        requests.append(try exchange.start(part: part, round: round, memory: memory, on: communicator))
      }
    } catch {
      world.fail(error)
    }
  }

  /// Lets MPI make progress on what was submitted.
  func poll() {
    do {
      if try requests.test() { clock.allArrived() }
    } catch {
      world.fail(error)
    }
  }

  /// Waits for all parts; afterwards the owned ranges of `memory.gradient(0)` are the global gradient. Returns its
  /// global norm. Each rank brings the values of its own shards; `shardValues` then holds those of all.
  func finish(ownShardValues: UnsafeBufferPointer<Double>) throws -> Double {
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
    clock.enter(.wait)
    if isAlone {
      for shard in ownShardValues.indices { shardValues[shard] = ownShardValues[shard] }
    } else {
      try scalars.exchange(on: communicator, blockSums: &blockSums, own: ownShardValues, shardValues: &shardValues)
    }
    // Block sums are added in index order, whoever computed them.
    return blockSums.reduce(0, +).squareRoot()
  }

  /// Every rank gets the owned ranges of all: of the parameters, after each rank has updated its own.
  func gatherOwned(_ values: UnsafeMutablePointer<Float>) throws {
    guard !isAlone, reduction == .reproducible else { return }
    for (part, range) in parts.parts.enumerated() {
      try communicator.allGatherV(
        inPlace: UnsafeMutableBufferPointer(start: values + range.lowerBound, count: range.count),
        slices[part])
    }
  }

  /// Rank 0 gets a value for each parameter, of which every rank holds those that it owns, range after range; on other
  /// ranks `all` is nil.
  func gatherToRoot(_ owned: UnsafeMutableBufferPointer<Float>, into all: UnsafeMutablePointer<Float>?) throws {
    var first = 0
    for (part, range) in parts.parts.enumerated() {
      let mine = UnsafeMutableBufferPointer(rebasing: owned[first..<first + ownedRanges[part].count])
      first += mine.count
      if isAlone || reduction == .mpi {
        if let all { (all + range.lowerBound).update(from: mine.baseAddress!, count: mine.count) }
      } else {
        let destination = UnsafeMutableBufferPointer(
          start: all.map { $0 + range.lowerBound }, count: all == nil ? 0 : range.count)
        try communicator.gatherV(UnsafeBufferPointer(mine), into: destination, slices[part], root: 0)
      }
    }
  }

  // MARK: One part

  private func receive(part: Int) {
    clock.enter(.wait, part: part)
    do {
      for _ in 0..<(isAlone ? 0 : exchange.rounds) { _ = try requests.waitForFirst() }
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
