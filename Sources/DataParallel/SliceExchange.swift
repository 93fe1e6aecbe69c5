import Kernels
import MPI

/// The messages of whole parts: to each rank its slice of each of this rank's subtree sums, and from each rank its slice of
/// the sum over all shards.
final class SliceExchange {
  private let communicator: Communicator
  private let memory: GradientMemory
  private let parts: GradientParts
  /// Subtrees of each rank.
  private let subtrees: [[Range<Int>]]
  private let treeSum: TreeSum
  private let scratch: FloatBuffer
  /// Where the terms of a sum are, one for each subtree of all ranks; used again for each sum.
  private var sources: [UnsafePointer<Float>] = []
  /// For each part, this rank's slice of the other ranks' subtrees, rank after rank.
  private let received: [Received]
  /// More than the subtrees of any rank.
  private let tagsOfPart: Int

  private final class Received {
    let buffer: FloatBuffer
    init(count: Int) { buffer = FloatBuffer(count: count) }
  }

  init(_ plan: ReductionPlan, memory: GradientMemory, communicator: Communicator) {
    self.communicator = communicator
    self.memory = memory
    subtrees = plan.subtrees
    let parts = GradientParts(parts: plan.parts, ranks: communicator.size)
    self.parts = parts
    treeSum = TreeSum(leafCount: plan.shardCount, subtrees: subtrees.flatMap { $0 })
    scratch = FloatBuffer(count: treeSum.scratchCount)
    sources.reserveCapacity(subtrees.reduce(0) { $0 + $1.count })
    tagsOfPart = 1 + (subtrees.map(\.count).max() ?? 0)
    let remote = subtrees.enumerated().reduce(0) { $0 + ($1.offset == communicator.rank ? 0 : $1.element.count) }
    received = plan.parts.indices.map { part in
      let isWhole = part > 0 || !plan.sendsRows
      return Received(count: isWhole ? remote * parts.slice(ofPart: part, rank: communicator.rank).count : 0)
    }
  }

  private func slice(_ part: Int, _ rank: Int) -> Range<Int> { parts.slice(ofPart: part, rank: rank) }

  private func tag(_ part: Int, subtree: Int) -> Int { part * tagsOfPart + subtree }
  private func tag(ofSum part: Int) -> Int { (part + 1) * tagsOfPart - 1 }

  /// Starts the first way of a part. Returns the number of its requests.
  func scatter(part: Int, _ requests: inout RequestQueue<OwnedBuffer<Float>>) throws -> Int {
    let (rank, before) = (communicator.rank, requests.count)
    let own = slice(part, rank)
    var place = received[part].buffer.pointer
    for peer in 0..<communicator.size where peer != rank {
      for subtree in subtrees[peer].indices where !own.isEmpty {
        let to = UnsafeMutableBufferPointer(start: place, count: own.count)
        requests.append(
          try communicator.startReceive(
            OwnedBuffer(unsafe: to, owner: received[part]), from: peer, tag: tag(part, subtree: subtree)))
        place += own.count
      }
    }
    for peer in others {
      for subtree in subtrees[rank].indices where !slice(part, peer).isEmpty {
        requests.append(
          try communicator.startSend(
            buffer(subtree, slice(part, peer)), to: peer, tag: tag(part, subtree: subtree)))
      }
    }
    return requests.count - before
  }

  /// After the first way of a part: this rank's slice of the first gradient becomes the sum over all shards, and the
  /// second way starts. Returns the number of its requests.
  func addAndGather(part: Int, _ requests: inout RequestQueue<OwnedBuffer<Float>>) throws -> Int {
    add(part: part)
    let (own, before) = (slice(part, communicator.rank), requests.count)
    for peer in others where !slice(part, peer).isEmpty {
      requests.append(
        try communicator.startReceive(buffer(0, slice(part, peer)), from: peer, tag: tag(ofSum: part)))
    }
    for peer in others where !own.isEmpty {
      requests.append(try communicator.startSend(buffer(0, own), to: peer, tag: tag(ofSum: part)))
    }
    return requests.count - before
  }

  /// The other ranks, beginning with the next one, so that not all send to the same at once.
  private var others: some Sequence<Int> {
    (1..<communicator.size).lazy.map { [rank = communicator.rank, size = communicator.size] in (rank + $0) % size }
  }

  private func buffer(_ subtree: Int, _ range: Range<Int>) -> OwnedBuffer<Float> {
    OwnedBuffer(
      unsafe: UnsafeMutableBufferPointer(start: memory.gradient(subtree) + range.lowerBound, count: range.count),
      owner: memory)
  }

  private func add(part: Int) {
    let own = slice(part, communicator.rank)
    var place = UnsafePointer(received[part].buffer.pointer)
    sources.removeAll(keepingCapacity: true)
    for sender in 0..<communicator.size {
      for subtree in subtrees[sender].indices {
        if sender == communicator.rank {
          sources.append(UnsafePointer(memory.gradient(subtree) + own.lowerBound))
        } else {
          sources.append(place)
          place += own.count
        }
      }
    }
    treeSum.add(
      sources, at: 0, into: memory.gradient(0) + own.lowerBound, count: own.count, scratch: scratch.pointer)
  }
}
