import Kernels
import MPI

/// The messages of an embedding of which only rows travel that some rank has seen. First every rank tells the others
/// which rows it has, a bit for each row of the table. The rows that any rank has are shared out evenly: their owners
/// receive them from the ranks that have them, add them in tree order, where a subtree without the row is +0.0 as it is
/// in memory, and send the sums to all.
package final class RowExchange {
  private let communicator: Communicator
  private let memory: GradientMemory
  /// Subtrees of each rank.
  private let subtrees: [[Range<Int>]]
  /// For each rank and subtree its place among the terms of a sum.
  private let places: [[Int]]
  private let treeSum: TreeSum
  private let scratch: FloatBuffer
  private let zeros: FloatBuffer
  private var sources: [UnsafePointer<Float>]
  private let outgoing: Rows
  private let incoming: Rows
  private let seen: SeenRows
  private var announcement = RequestQueue<Exchange<UInt64>>(capacity: 1)
  /// Where the rows of each rank begin among those that have come in.
  private var firstOf: [UnsafeMutablePointer<Float>]

  private final class Rows {
    let buffer: FloatBuffer
    init(count: Int) { buffer = FloatBuffer(count: count) }
  }

  init(_ plan: ExchangePlan, memory: GradientMemory, communicator: Communicator) {
    guard let table = plan.table else { preconditionFailure("no rows are sent") }
    self.communicator = communicator
    self.memory = memory
    (subtrees, places) = (plan.subtrees, plan.places)
    treeSum = TreeSum(root: 0..<plan.shardCount, subtrees: plan.sortedSubtrees)
    scratch = FloatBuffer(count: treeSum.scratchCount)
    zeros = FloatBuffer(count: table.size)
    sources = Array(repeating: UnsafePointer(zeros.pointer), count: subtrees.reduce(0) { $0 + $1.count })
    // A window has all its rows, and parts of two more.
    let mostRows = min(table.mostRows, plan.ranges[0].count / table.size + 2)
    let floats = RowExchange.floats(mostRows: mostRows, size: table.size, subtrees: subtrees)
    outgoing = Rows(count: floats)
    incoming = Rows(count: floats)
    seen = SeenRows(
      rows: table.rows, size: table.size, window: plan.ranges[0], ranks: communicator.size, mostRows: mostRows)
    firstOf = Array(repeating: incoming.buffer.pointer, count: communicator.size)
  }

  /// Room for what a rank sends or receives at most: all rows in every subtree.
  package static func floats(mostRows: Int, size: Int, subtrees: [[Range<Int>]]) -> Int {
    let ranks = subtrees.count
    let received = (ranks - 1) * ((mostRows + ranks - 1) / ranks)
    return max(mostRows, received) * size * (subtrees.map(\.count).max() ?? 1)
  }

  /// Tells the other ranks which rows this one has.
  func announce(_ rows: [Int32]) throws {
    seen.mark(rows)
    announcement.append(
      try communicator.startAllGather(
        Exchange(
          sending: OwnedBuffer(unsafe: seen.own, owner: seen), receiving: OwnedBuffer(unsafe: seen.all, owner: seen))))
  }

  /// Whether it is known which rows all ranks have.
  func isAnnounced() throws -> Bool {
    guard try announcement.testFirst(1) else { return false }
    _ = try announcement.waitForFirst()
    seen.unite()
    return true
  }

  /// Starts the first way. Returns the number of its requests.
  func scatter(_ requests: inout RequestQueue<OwnedBuffer<Float>>) throws -> Int {
    let (rank, before) = (communicator.rank, requests.count)
    var place = incoming.buffer.pointer
    for peer in 0..<communicator.size where peer != rank {
      firstOf[peer] = place
      let count = subtrees[peer].count * seen.count(ofRank: peer, ownedBy: rank)
      if count > 0 { requests.append(try receive(place, count: count, from: peer, tag: RowExchange.scatterTag)) }
      place += count
    }
    place = outgoing.buffer.pointer
    for peer in 0..<communicator.size where peer != rank {
      let first = place
      for subtree in subtrees[rank].indices {
        for row in seen.owned(by: peer) where seen.contains(row, rank: rank) {
          place = append(row, of: memory.gradient(subtree), to: place)
        }
      }
      if place > first {
        requests.append(try send(first, count: place - first, to: peer, tag: RowExchange.scatterTag))
      }
    }
    return requests.count - before
  }

  /// After the first way: the rows that this rank owns become sums over all shards, and the second way starts. Returns
  /// the number of its requests.
  func addAndGather(_ requests: inout RequestQueue<OwnedBuffer<Float>>) throws -> Int {
    let (rank, before) = (communicator.rank, requests.count)
    add()
    var place = incoming.buffer.pointer
    for peer in 0..<communicator.size where peer != rank {
      firstOf[peer] = place
      let count = seen.count(ownedBy: peer)
      if count > 0 { requests.append(try receive(place, count: count, from: peer, tag: RowExchange.gatherTag)) }
      place += count
    }
    place = outgoing.buffer.pointer
    for row in seen.owned(by: rank) { place = append(row, of: memory.gradient(0), to: place) }
    let own = place - outgoing.buffer.pointer
    for peer in 0..<communicator.size where peer != rank && own > 0 {
      requests.append(try send(outgoing.buffer.pointer, count: own, to: peer, tag: RowExchange.gatherTag))
    }
    return requests.count - before
  }

  /// After the second way: the rows that others own, into the first gradient.
  func take() {
    for peer in 0..<communicator.size where peer != communicator.rank {
      for row in seen.owned(by: peer) {
        let numbers = seen.numbers(of: row)
        (memory.gradient(0) + numbers.lowerBound).update(from: firstOf[peer], count: numbers.count)
        firstOf[peer] += numbers.count
      }
    }
  }

  /// The rows that any rank has, as ranges of the flat gradient.
  func appendChangedRanges(to ranges: inout [Range<Int>]) {
    for row in seen.united { ranges.append(seen.numbers(of: row)) }
  }

  // MARK: Rows

  /// Those of `SliceExchange` come behind.
  private static let (scatterTag, gatherTag) = (0, 1)

  private func append(
    _ row: Int32, of gradient: UnsafeMutablePointer<Float>, to place: UnsafeMutablePointer<Float>
  ) -> UnsafeMutablePointer<Float> {
    let numbers = seen.numbers(of: row)
    place.update(from: gradient + numbers.lowerBound, count: numbers.count)
    return place + numbers.count
  }

  private func add() {
    let rank = communicator.rank
    for row in seen.owned(by: rank) {
      let numbers = seen.numbers(of: row)
      for sender in 0..<communicator.size {
        let has = seen.contains(row, rank: sender)
        let stride = seen.count(ofRank: sender, ownedBy: rank)
        for subtree in subtrees[sender].indices {
          sources[places[sender][subtree]] = UnsafePointer(
            !has
              ? zeros.pointer
              : sender == rank
                ? memory.gradient(subtree) + numbers.lowerBound : firstOf[sender] + subtree * stride)
        }
        if has && sender != rank { firstOf[sender] += numbers.count }
      }
      treeSum.add(
        sources, at: 0, into: memory.gradient(0) + numbers.lowerBound, count: numbers.count, scratch: scratch.pointer)
    }
  }

  private func receive(
    _ place: UnsafeMutablePointer<Float>, count: Int, from peer: Int, tag: Int
  ) throws -> Request<OwnedBuffer<Float>> {
    let buffer = UnsafeMutableBufferPointer(start: place, count: count)
    return try communicator.startReceive(OwnedBuffer(unsafe: buffer, owner: incoming), from: peer, tag: tag)
  }

  private func send(
    _ place: UnsafeMutablePointer<Float>, count: Int, to peer: Int, tag: Int
  ) throws -> Request<OwnedBuffer<Float>> {
    let buffer = UnsafeMutableBufferPointer(start: place, count: count)
    return try communicator.startSend(OwnedBuffer(unsafe: buffer, owner: outgoing), to: peer, tag: tag)
  }
}
