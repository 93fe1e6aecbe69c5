import Kernels
import MPI
import Problems

/// The messages of pieces of the gradient: to each rank its slice of each of this rank's subtree sums, and from each
/// rank its slice of the sum over all shards.
final class SliceExchange {
  private let communicator: Communicator
  private let memory: GradientMemory
  /// Ranges of the flat gradient.
  private let pieces: [Range<Int>]
  /// Subtrees of each rank.
  private let subtrees: [[Range<Int>]]
  /// For each rank and subtree its place among the terms of a sum.
  private let places: [[Int]]
  private let treeSum: TreeSum
  private let scratch: FloatBuffer
  /// Where the terms of a sum are, one for each subtree of all ranks; used again for each sum.
  private var sources: [UnsafePointer<Float>]
  /// For each piece, this rank's slice of the other ranks' subtrees, rank after rank.
  private let received: [Received]
  /// More than the subtrees of any rank.
  private let tagsOfPiece: Int

  private final class Received {
    let buffer: FloatBuffer
    init(count: Int) { buffer = FloatBuffer(count: count) }
  }

  /// - Throws: where the gradient has more pieces than MPI has tags.
  init(_ plan: ExchangePlan, pieces: [Range<Int>], memory: GradientMemory, communicator: Communicator) throws {
    self.communicator = communicator
    self.memory = memory
    self.pieces = pieces
    subtrees = plan.subtrees
    places = plan.places
    treeSum = TreeSum(root: 0..<plan.shardCount, subtrees: plan.sortedSubtrees)
    scratch = FloatBuffer(count: treeSum.scratchCount)
    sources = Array(repeating: UnsafePointer(scratch.pointer), count: subtrees.reduce(0) { $0 + $1.count })
    tagsOfPiece = 1 + (subtrees.map(\.count).max() ?? 0)
    let lastTag = SliceExchange.firstTag + pieces.count * tagsOfPiece - 1
    guard lastTag <= Communicator.largestPortableTag else {
      throw Problem(
        .badConfiguration,
        "model is too large for messages — expected at most \(Communicator.largestPortableTag + 1) tags, "
          + "got \(lastTag + 1)", hint: "set distributed.reduction to mpi, or batch.shards to a power of two")
    }
    let remote = subtrees.enumerated().reduce(0) { $0 + ($1.offset == communicator.rank ? 0 : $1.element.count) }
    received = pieces.map { piece in
      Received(count: remote * SliceExchange.slice(piece, communicator.rank, of: communicator.size).count)
    }
  }

  private static func slice(_ piece: Range<Int>, _ rank: Int, of ranks: Int) -> Range<Int> {
    piece.lowerBound + rank * piece.count / ranks..<piece.lowerBound + (rank + 1) * piece.count / ranks
  }

  private func slice(_ piece: Int, _ rank: Int) -> Range<Int> {
    SliceExchange.slice(pieces[piece], rank, of: communicator.size)
  }

  /// Behind those of `RowExchange`.
  private static let firstTag = 2

  private func tag(_ piece: Int, subtree: Int) -> Int { SliceExchange.firstTag + piece * tagsOfPiece + subtree }
  private func tag(ofSum piece: Int) -> Int { tag(piece, subtree: tagsOfPiece - 1) }

  /// Starts the first way of a piece. Returns the number of its requests.
  func scatter(_ piece: Int, _ requests: inout RequestQueue<OwnedBuffer<Float>>) throws -> Int {
    let (rank, before) = (communicator.rank, requests.count)
    let own = slice(piece, rank)
    var place = received[piece].buffer.pointer
    for peer in 0..<communicator.size where peer != rank {
      for subtree in subtrees[peer].indices where !own.isEmpty {
        let to = UnsafeMutableBufferPointer(start: place, count: own.count)
        requests.append(
          try communicator.startReceive(
            OwnedBuffer(unsafe: to, owner: received[piece]), from: peer, tag: tag(piece, subtree: subtree)))
        place += own.count
      }
    }
    for peer in others {
      for subtree in subtrees[rank].indices where !slice(piece, peer).isEmpty {
        requests.append(
          try communicator.startSend(
            buffer(subtree, slice(piece, peer)), to: peer, tag: tag(piece, subtree: subtree)))
      }
    }
    return requests.count - before
  }

  /// After the first way of a piece: this rank's slice of the first gradient becomes the sum over all shards, and the
  /// second way starts. Returns the number of its requests.
  func addAndGather(_ piece: Int, _ requests: inout RequestQueue<OwnedBuffer<Float>>) throws -> Int {
    add(piece)
    let (own, before) = (slice(piece, communicator.rank), requests.count)
    for peer in others where !slice(piece, peer).isEmpty {
      requests.append(
        try communicator.startReceive(buffer(0, slice(piece, peer)), from: peer, tag: tag(ofSum: piece)))
    }
    for peer in others where !own.isEmpty {
      requests.append(try communicator.startSend(buffer(0, own), to: peer, tag: tag(ofSum: piece)))
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

  private func add(_ piece: Int) {
    let own = slice(piece, communicator.rank)
    var place = UnsafePointer(received[piece].buffer.pointer)
    for sender in 0..<communicator.size {
      for subtree in subtrees[sender].indices {
        if sender == communicator.rank {
          sources[places[sender][subtree]] = UnsafePointer(memory.gradient(subtree) + own.lowerBound)
        } else {
          sources[places[sender][subtree]] = place
          place += own.count
        }
      }
    }
    treeSum.add(
      sources, at: 0, into: memory.gradient(0) + own.lowerBound, count: own.count, scratch: scratch.pointer)
  }
}
