/// What a group of ranks, the peers, adds up by messages.
struct ExchangePlan {
  /// Of each part of the model the numbers that the peers add up; may be empty.
  let ranges: [Range<Int>]
  /// The first part as the rows of a table that begins the flat gradient, of which a batch has `mostRows` at most: only
  /// rows that some peer has are sent. Nil where the first part is sent as a whole.
  let table: (rows: Int, size: Int, mostRows: Int)?
  /// S, leaves of the summation tree.
  let shardCount: Int
  /// For each peer the subtrees of its shards; those of all peers together cover the tree.
  let subtrees: [[Range<Int>]]

  /// The subtrees of all peers, ascending.
  var sortedSubtrees: [Range<Int>] { subtrees.flatMap { $0 }.sorted { $0.lowerBound < $1.lowerBound } }

  /// For each peer and subtree its place among all, ascending.
  var places: [[Int]] {
    let sorted = sortedSubtrees
    return subtrees.map { $0.map { subtree in sorted.firstIndex(of: subtree)! } }
  }
}

extension ExchangePlan {
  /// All ranks are peers and add up everything.
  init(_ plan: ReductionPlan) {
    self.init(
      ranges: plan.parts, table: plan.sendsRows ? plan.embedding : nil, shardCount: plan.shardCount,
      subtrees: plan.subtrees)
  }
}
