/// The messages of a table of which only rows travel that some peer has. The rows that any peer has are shared out
/// evenly: their owners receive them from the peers that have them, add them in tree order, where a subtree without the
/// row is +0.0 as it is in memory, and send the sums to all.
package struct RowMessages {
  package typealias Action = ExchangeStateMachine.Action
  private typealias Message = ExchangeStateMachine.Message

  package let seen: SeenRows
  /// Elements that a peer packs, and that it receives, at most.
  package let bufferCount: Int

  private let rank: Int
  private let subtrees: [[Range<Int>]]
  private let terms: [[Int]]
  private let tags: (reduceScatter: Int, allGather: Int)
  private let firstReceived: Int
  /// Where the next row of each peer begins among what was received.
  private var nextOf: [Int]

  package init(_ plan: ExchangePlan, buckets: BucketPlan, rank: Int, firstReceived: Int) {
    guard let table = plan.table else { preconditionFailure("no rows are sent") }
    self.rank = rank
    self.firstReceived = firstReceived
    (subtrees, terms) = (plan.subtrees, plan.terms)
    tags = (buckets.tag(bucket: 0, subtree: 0), buckets.allGatherTag(bucket: 0))
    bufferCount = RowMessages.bufferCount(mostRows: plan.mostRows, size: table.size, subtrees: plan.subtrees)
    seen = SeenRows(
      rows: table.rows, size: table.size, range: plan.ranges[0], ranks: plan.peers, mostRows: plan.mostRows)
    nextOf = Array(repeating: firstReceived, count: plan.peers)
  }

  /// Elements that a peer sends or receives at most: all rows in every subtree.
  /// - Parameter subtrees: of each peer.
  package static func bufferCount(mostRows: Int, size: Int, subtrees: [[Range<Int>]]) -> Int {
    let peers = subtrees.count
    let received = (peers - 1) * ((mostRows + peers - 1) / peers)
    return max(mostRows, received) * size * (subtrees.map(\.count).max() ?? 1)
  }

  /// The rows enter their reduce-scatter. Returns the number of its messages.
  package mutating func reduceScatter(_ act: (Action) throws -> Void) rethrows -> Int {
    var messages = 0
    var next = firstReceived
    for peer in subtrees.indices where peer != rank {
      nextOf[peer] = next
      let count = subtrees[peer].count * seen.count(ofRank: peer, ownedBy: rank)
      if count > 0 {
        try act(.receive(message(.reduceScatter, peer, .received(next), count)))
        messages += 1
      }
      next += count
    }
    next = 0
    for peer in subtrees.indices where peer != rank {
      let first = next
      for subtree in subtrees[rank].indices {
        for row in seen.owned(by: peer) where seen.contains(row, rank: rank) {
          try pack(row, subtree: subtree, at: &next, act)
        }
      }
      if next > first {
        try act(.send(message(.reduceScatter, peer, .packed(first), next - first)))
        messages += 1
      }
    }
    return messages
  }

  /// After the reduce-scatter: the rows that this peer owns become sums over all shards, and the rows enter their
  /// all-gather. Returns the number of its messages.
  package mutating func sumAndAllGather(_ act: (Action) throws -> Void) rethrows -> Int {
    for row in seen.owned(by: rank) { try sum(row, act) }
    var messages = 0
    var next = firstReceived
    for peer in subtrees.indices where peer != rank {
      nextOf[peer] = next
      let count = seen.count(ownedBy: peer)
      if count > 0 {
        try act(.receive(message(.allGather, peer, .received(next), count)))
        messages += 1
      }
      next += count
    }
    var own = 0
    for row in seen.owned(by: rank) { try pack(row, subtree: 0, at: &own, act) }
    for peer in subtrees.indices where peer != rank && own > 0 {
      try act(.send(message(.allGather, peer, .packed(0), own)))
      messages += 1
    }
    return messages
  }

  /// After the all-gather: the rows that others own go into the gradient of subtree 0.
  package mutating func unpack(_ act: (Action) throws -> Void) rethrows {
    for peer in subtrees.indices where peer != rank {
      for row in seen.owned(by: peer) {
        let elements = seen.elements(of: row)
        let to = ExchangeStateMachine.Place.gradient(subtree: 0, elements.lowerBound)
        try act(.copy(from: .received(nextOf[peer]), to: to, count: elements.count))
        nextOf[peer] += elements.count
      }
    }
  }

  private func message(
    _ phase: ExchangeStateMachine.Phase, _ peer: Int, _ place: ExchangeStateMachine.Place, _ count: Int
  ) -> ExchangeStateMachine.Message {
    let tag = phase == .reduceScatter ? tags.reduceScatter : tags.allGather
    return Message(phase: phase, peer: peer, tag: tag, place: place, count: count)
  }

  private func pack(_ row: Int32, subtree: Int, at next: inout Int, _ act: (Action) throws -> Void) rethrows {
    let elements = seen.elements(of: row)
    try act(
      .copy(from: .gradient(subtree: subtree, elements.lowerBound), to: .packed(next), count: elements.count))
    next += elements.count
  }

  private mutating func sum(_ row: Int32, _ act: (Action) throws -> Void) rethrows {
    let elements = seen.elements(of: row)
    for sender in subtrees.indices {
      let has = seen.contains(row, rank: sender)
      let stride = seen.count(ofRank: sender, ownedBy: rank)
      for subtree in subtrees[sender].indices {
        let place: ExchangeStateMachine.Place =
          if !has {
            .zeros
          } else if sender == rank {
            .gradient(subtree: subtree, elements.lowerBound)
          } else {
            .received(nextOf[sender] + subtree * stride)
          }
        try act(.term(index: terms[sender][subtree], place))
      }
      if has && sender != rank { nextOf[sender] += elements.count }
    }
    try act(.sum(elements))
  }
}
