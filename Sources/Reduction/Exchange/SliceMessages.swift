/// The messages of a bucket that is a piece of a part. Of P peers each owns a slice of 1/P: it receives this slice of
/// every subtree of the others, adds the slices in tree order, and sends the sum to all.
package struct SliceMessages {
  package typealias Action = ExchangeStateMachine.Action
  private typealias Message = ExchangeStateMachine.Message

  /// Elements that are received in the reduce-scatters of all buckets.
  package let receivedCount: Int

  private let buckets: BucketPlan
  private let rank: Int
  private let subtrees: [[Range<Int>]]
  private let terms: [[Int]]
  /// Where the slices of the others' subtrees begin among what is received, for each bucket.
  private let firstReceived: [Int]

  package init(_ plan: ExchangePlan, buckets: BucketPlan, rank: Int) {
    self.buckets = buckets
    self.rank = rank
    (subtrees, terms) = (plan.subtrees, plan.terms)
    let remote = plan.subtrees.enumerated().reduce(0) { $0 + ($1.offset == rank ? 0 : $1.element.count) }
    var next = 0
    firstReceived = buckets.ranges.indices.map { bucket in
      defer {
        let isRows = bucket == 0 && buckets.hasRows
        // Whole cache lines.
        if !isRows { next += (remote * buckets.slice(ofBucket: bucket, peer: rank).count + 15) & ~15 }
      }
      return next
    }
    receivedCount = next
  }

  /// The other peers, beginning with the next one, so that not all send to the same at once.
  private var others: some Sequence<Int> {
    (1..<subtrees.count).lazy.map { [rank, peers = subtrees.count] in (rank + $0) % peers }
  }

  /// A bucket enters its reduce-scatter. Returns the number of its messages.
  package func reduceScatter(_ bucket: Int, _ act: (Action) throws -> Void) rethrows -> Int {
    let own = buckets.slice(ofBucket: bucket, peer: rank)
    var messages = 0
    var next = firstReceived[bucket]
    for peer in subtrees.indices where peer != rank && !own.isEmpty {
      for subtree in subtrees[peer].indices {
        let tag = buckets.tag(bucket: bucket, subtree: subtree)
        try act(
          .receive(Message(phase: .reduceScatter, peer: peer, tag: tag, place: .received(next), count: own.count)))
        next += own.count
        messages += 1
      }
    }
    for peer in others {
      let slice = buckets.slice(ofBucket: bucket, peer: peer)
      for subtree in subtrees[rank].indices where !slice.isEmpty {
        let tag = buckets.tag(bucket: bucket, subtree: subtree)
        let place = ExchangeStateMachine.Place.gradient(subtree: subtree, slice.lowerBound)
        try act(.send(Message(phase: .reduceScatter, peer: peer, tag: tag, place: place, count: slice.count)))
        messages += 1
      }
    }
    return messages
  }

  /// After the reduce-scatter: this peer's slice becomes the sum over all shards, and the bucket enters its all-gather.
  /// Returns the number of its messages.
  package func sumAndAllGather(_ bucket: Int, _ act: (Action) throws -> Void) rethrows -> Int {
    let own = buckets.slice(ofBucket: bucket, peer: rank)
    if !own.isEmpty { try sum(bucket, own, act) }
    let tag = buckets.allGatherTag(bucket: bucket)
    var messages = 0
    for peer in others {
      let slice = buckets.slice(ofBucket: bucket, peer: peer)
      guard !slice.isEmpty else { continue }
      let place = ExchangeStateMachine.Place.gradient(subtree: 0, slice.lowerBound)
      try act(.receive(Message(phase: .allGather, peer: peer, tag: tag, place: place, count: slice.count)))
      messages += 1
    }
    for peer in others where !own.isEmpty {
      let place = ExchangeStateMachine.Place.gradient(subtree: 0, own.lowerBound)
      try act(.send(Message(phase: .allGather, peer: peer, tag: tag, place: place, count: own.count)))
      messages += 1
    }
    return messages
  }

  private func sum(_ bucket: Int, _ own: Range<Int>, _ act: (Action) throws -> Void) rethrows {
    var next = firstReceived[bucket]
    for sender in subtrees.indices {
      for subtree in subtrees[sender].indices {
        if sender == rank {
          try act(.term(index: terms[sender][subtree], .gradient(subtree: subtree, own.lowerBound)))
        } else {
          try act(.term(index: terms[sender][subtree], .received(next)))
          next += own.count
        }
      }
    }
    try act(.sum(own))
  }
}
