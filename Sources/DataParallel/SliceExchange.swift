import Kernels
import MPI

/// The exchange of subtree sums: which rank sends which slice of which of its subtrees' gradients to whom, and the tree
/// sum of what has arrived. In round j every rank sends its j-th subtree, if it has that many.
final class SliceExchange {
  /// The largest number of subtrees of any rank.
  let rounds: Int

  private let rank: Int
  private let size: Int
  private let parts: GradientParts
  /// Subtrees of each rank.
  private let subtrees: [[Range<Int>]]
  private let treeSum: TreeSum
  private let scratch: FloatBuffer
  /// Where the terms of a sum are, one for each subtree of all ranks; used again for each sum.
  private var sources: [UnsafePointer<Float>] = []
  /// For each part, this rank's slice of the other ranks' subtrees: round after round, ascending ranks within one.
  private let received: [Received]
  /// For each part and round, what this rank sends and receives.
  private let plans: [[Plan]]

  private final class Received {
    let buffer: FloatBuffer
    init(count: Int) { buffer = FloatBuffer(count: count) }
  }

  private struct Plan {
    /// Within the part; all empty where this rank has no subtree for the round.
    let sent: Segments
    /// Within the received slices, from `first` on.
    let received: Segments
    let first: Int
    let sends: Bool
  }

  init(rank: Int, _ plan: ReductionPlan, parts: GradientParts) {
    let subtrees = plan.subtrees
    let size = subtrees.count
    self.rank = rank
    self.size = size
    self.parts = parts
    self.subtrees = subtrees
    let rounds = subtrees.map(\.count).max() ?? 0
    self.rounds = rounds
    treeSum = TreeSum(leafCount: plan.shardCount, subtrees: subtrees.flatMap { $0 })
    scratch = FloatBuffer(count: treeSum.scratchCount)
    let remote = subtrees.enumerated().reduce(0) { $0 + ($1.offset == rank ? 0 : $1.element.count) }
    let exchanges = parts.ranks == size
    received = parts.parts.indices.map { part in
      Received(count: exchanges ? remote * parts.slice(ofPart: part, rank: rank).count : 0)
    }
    plans =
      exchanges
      ? parts.parts.indices.map { part in
        var first = 0
        return (0..<rounds).map { round in
          let plan = SliceExchange.plan(part: part, round: round, first: first, rank: rank, parts, subtrees)
          first += plan.received.counts.reduce(0, +)
          return plan
        }
      } : []
  }

  private static func plan(
    part: Int, round: Int, first: Int, rank: Int, _ parts: GradientParts, _ subtrees: [[Range<Int>]]
  ) -> Plan {
    let start = parts.parts[part].lowerBound
    let slices = subtrees.indices.map { parts.slice(ofPart: part, rank: $0) }
    let sends = round < subtrees[rank].count
    return Plan(
      sent: Segments(
        counts: slices.indices.map { sends && $0 != rank ? slices[$0].count : 0 },
        displacements: slices.map { sends ? $0.lowerBound - start : 0 }),
      received: Segments(
        packed: subtrees.indices.map { $0 != rank && round < subtrees[$0].count ? slices[rank].count : 0 }),
      first: first, sends: sends)
  }

  /// Starts one round of a part.
  func start(
    part: Int, round: Int, memory: GradientMemory, on communicator: Communicator
  ) throws -> Request<Exchange<Float>> {
    let (range, plan) = (parts.parts[part], plans[part][round])
    let from = UnsafeMutableBufferPointer(
      start: memory.gradient(plan.sends ? round : 0) + range.lowerBound, count: plan.sends ? range.count : 0)
    let to = UnsafeMutableBufferPointer(
      start: received[part].buffer.pointer + plan.first, count: plan.received.counts.reduce(0, +))
    return try communicator.startAllToAllV(
      Exchange(
        sending: OwnedBuffer(unsafe: from, owner: memory), receiving: OwnedBuffer(unsafe: to, owner: received[part])),
      sent: plan.sent, received: plan.received)
  }

  /// After all rounds of a part: this rank's slice of the first gradient becomes the sum over all shards.
  func sum(part: Int, memory: GradientMemory) {
    let slice = parts.slice(ofPart: part, rank: rank)
    sources.removeAll(keepingCapacity: true)
    for sender in 0..<size {
      for round in subtrees[sender].indices {
        if sender == rank {
          sources.append(UnsafePointer(memory.gradient(round) + slice.lowerBound))
        } else {
          let plan = plans[part][round]
          sources.append(
            UnsafePointer(received[part].buffer.pointer + (plan.first + plan.received.displacements[sender])))
        }
      }
    }
    treeSum.add(
      sources, at: 0, into: memory.gradient(0) + slice.lowerBound, count: slice.count, scratch: scratch.pointer)
  }
}
