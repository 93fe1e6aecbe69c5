import Kernels
import MPI

/// The exchange of subtree sums: which rank sends which slice of which of its subtrees' gradients to whom, and the tree
/// sum of what has arrived. In round j every rank sends its j-th subtree, if it has that many.
final class SliceExchange {
  /// The largest number of subtrees of any rank.
  let rounds: Int
  /// Logical shards of each rank.
  let shardsOfRank: [Range<Int>]

  private let rank: Int
  private let size: Int
  private let parts: GradientParts
  /// Subtrees of each rank.
  private let subtrees: [[Range<Int>]]
  private let treeSum: TreeSum
  private let scratch: FloatBuffer
  /// For each part, this rank's slice of the other ranks' subtrees: round after round, ascending ranks within one.
  private let received: [Received]

  private final class Received {
    let buffer: FloatBuffer
    init(count: Int) { buffer = FloatBuffer(count: count) }
  }

  init(rank: Int, size: Int, shardCount: Int, shardsOfRank: (Int) -> Range<Int>, parts: GradientParts) {
    self.rank = rank
    self.size = size
    self.parts = parts
    let shards = (0..<size).map(shardsOfRank)
    self.shardsOfRank = shards
    let subtrees = shards.map { SummationTree.subtrees(of: $0, leafCount: shardCount) }
    self.subtrees = subtrees
    rounds = subtrees.map(\.count).max() ?? 0
    treeSum = TreeSum(leafCount: shardCount, subtrees: subtrees.flatMap { $0 })
    scratch = FloatBuffer(count: treeSum.scratchCount)
    let remote = subtrees.enumerated().reduce(0) { $0 + ($1.offset == rank ? 0 : $1.element.count) }
    let exchanges = parts.ranks == size && size > 1
    received = parts.parts.indices.map { part in
      Received(count: exchanges ? remote * parts.slice(ofPart: part, rank: rank).count : 0)
    }
  }

  /// Starts one round of a part.
  func start(
    part: Int, round: Int, memory: GradientMemory, on communicator: Communicator
  ) throws -> Request<Exchange<Float>> {
    let range = parts.parts[part]
    let mine = parts.slice(ofPart: part, rank: rank).count
    let sends = round < subtrees[rank].count
    let slices = (0..<size).map { parts.slice(ofPart: part, rank: $0) }
    let sent = Segments(
      counts: slices.indices.map { sends && $0 != rank ? slices[$0].count : 0 },
      displacements: slices.map { sends ? $0.lowerBound - range.lowerBound : 0 })
    let senders = (0..<size).map { $0 != rank && round < subtrees[$0].count }
    let from = OwnedBuffer(
      unsafe: UnsafeMutableBufferPointer(
        start: memory.gradient(sends ? round : 0) + range.lowerBound, count: sends ? range.count : 0),
      owner: memory)
    let to = OwnedBuffer(
      unsafe: UnsafeMutableBufferPointer(
        start: received[part].buffer.pointer + place(round: round, from: 0) * mine,
        count: senders.count(where: { $0 }) * mine),
      owner: received[part])
    return try communicator.startAllToAllV(
      Exchange(sending: from, receiving: to), sent: sent, received: Segments(packed: senders.map { $0 ? mine : 0 }))
  }

  /// How many slices of other ranks come before that of a rank in a round.
  private func place(round: Int, from sender: Int) -> Int {
    var count = 0
    for earlier in 0...round {
      for other in 0..<size where other != rank && earlier < subtrees[other].count {
        if earlier < round || other < sender { count += 1 }
      }
    }
    return count
  }

  /// After all rounds of a part: this rank's slice of the first gradient becomes the sum over all shards.
  func sum(part: Int, memory: GradientMemory) {
    let slice = parts.slice(ofPart: part, rank: rank)
    var sources: [UnsafePointer<Float>] = []
    for sender in 0..<size {
      for round in subtrees[sender].indices {
        let source =
          sender == rank
          ? memory.gradient(round) + slice.lowerBound
          : received[part].buffer.pointer + place(round: round, from: sender) * slice.count
        sources.append(UnsafePointer(source))
      }
    }
    // A single subtree is the whole tree: its gradient is the sum already.
    if sources.count == 1 { return }
    treeSum.add(sources, into: memory.gradient(0) + slice.lowerBound, count: slice.count, scratch: scratch.pointer)
  }
}
