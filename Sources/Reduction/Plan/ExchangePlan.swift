/// What a group of ranks, the peers, adds up by messages.
package struct ExchangePlan: Sendable {
  /// Of each part of the model the elements of the flat gradient that the peers add up; may be empty.
  package let ranges: [Range<Int>]
  /// The first part as the rows of a table that begins the flat gradient, of which a batch has `mostRows` at most: only
  /// rows that some peer has are sent. Nil where the first part is sent as a whole.
  package let table: (rows: Int, size: Int, mostRows: Int)?
  /// S, leaves of the summation tree.
  package let shardCount: Int
  /// For each peer the subtrees of its shards; those of all peers together cover the tree.
  package let subtrees: [[Range<Int>]]

  package init(
    ranges: [Range<Int>], table: (rows: Int, size: Int, mostRows: Int)?, shardCount: Int, subtrees: [[Range<Int>]]
  ) {
    self.ranges = ranges
    self.table = table
    self.shardCount = shardCount
    self.subtrees = subtrees
  }

  /// All ranks are peers and add up everything.
  package init(_ plan: ReductionPlan) {
    self.init(
      ranges: plan.parts, table: plan.sendsRows ? plan.embedding : nil, shardCount: plan.shardCount,
      subtrees: plan.subtrees)
  }

  /// P, peers.
  package var peers: Int { subtrees.count }

  /// The subtrees of all peers, ascending.
  package var sortedSubtrees: [Range<Int>] { subtrees.flatMap { $0 }.sorted { $0.lowerBound < $1.lowerBound } }

  /// For each peer and subtree its index among the terms of a sum.
  package var terms: [[Int]] {
    let sorted = sortedSubtrees
    return subtrees.map { $0.map { subtree in sorted.firstIndex(of: subtree)! } }
  }

  /// Subtrees of the peer that has most of them.
  package var mostSubtrees: Int { subtrees.map(\.count).max() ?? 0 }

  /// Rows that the peers have together at most in their range of the table: all whole rows of the range, and parts of
  /// two more.
  package var mostRows: Int { table.map { min($0.mostRows, ranges[0].count / $0.size + 2) } ?? 0 }
}
