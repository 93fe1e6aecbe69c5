import Problems

/// Who computes what: the global batch of B lanes is cut into S logical shards, and the shards are spread over P
/// ranks. The cut into shards does not know P, which is why the sums of shards, and so the trained parameters, do not
/// depend on it.
///
/// Shard s holds the lanes ⌊s·B/S⌋ ..< ⌊(s+1)·B/S⌋ and rank r holds the shards ⌊r·S/P⌋ ..< ⌊(r+1)·S/P⌋: remainders
/// spread evenly, and no shard or rank differs from another by more than one. With S > B some shards are empty; they
/// weigh nothing, and nothing else changes.
package struct ShardPlan: Sendable, Equatable {
  /// B, sequences in the global batch.
  package let globalBatch: Int
  /// S, logical shards.
  package let shards: Int
  /// P, ranks.
  package let ranks: Int

  /// A plan for B ≥ 1 lanes, S ≥ 1 shards and 1 ≤ P ≤ S ranks; anything else is an error with exit code 78.
  package init(globalBatch: Int, shards: Int, ranks: Int) throws(Problem) {
    let limit = Int(Int32.max)  // so that no product below can overflow
    for (name, value) in [("sequences", globalBatch), ("shards", shards), ("ranks", ranks)]
    where value < 1 || value > limit {
      throw .configuration("number of \(name) — expected 1 to \(limit), got \(value)")
    }
    guard ranks <= shards else {
      throw .configuration(
        "more ranks than shards — expected at most \(shards) ranks, got \(ranks)",
        hint: "start at most \(shards) ranks (mpirun -np \(shards)), or begin a new run with batch.shards of at least "
          + "\(ranks)")
    }
    (self.globalBatch, self.shards, self.ranks) = (globalBatch, shards, ranks)
  }

  /// The lanes of shard `shard`, empty for some where S > B.
  package func lanes(ofShard shard: Int) -> Range<Int> {
    precondition((0..<shards).contains(shard), "shard \(shard) is not among \(shards)")
    return firstLane(ofShard: shard)..<firstLane(ofShard: shard + 1)
  }

  /// The shards of rank `rank`: at least one.
  package func shards(ofRank rank: Int) -> Range<Int> {
    precondition((0..<ranks).contains(rank), "rank \(rank) is not among \(ranks)")
    return rank * shards / ranks..<(rank + 1) * shards / ranks
  }

  /// The lanes of rank `rank`: those of its shards, which lie beside each other. Empty where all its shards are.
  package func lanes(ofRank rank: Int) -> Range<Int> { lanes(ofShards: shards(ofRank: rank)) }

  /// The lanes of neighbouring shards.
  package func lanes(ofShards shards: Range<Int>) -> Range<Int> {
    firstLane(ofShard: shards.lowerBound)..<firstLane(ofShard: shards.upperBound)
  }

  /// The shards of each pass of a rank that accumulates its gradient in at most `most` passes, one after the other: as
  /// many as it has shards, if that is fewer. Of n passes over m shards, pass i holds ⌊i·m/n⌋ ..< ⌊(i+1)·m/n⌋ of them.
  /// - Precondition: `most` ≥ 1.
  package func passes(ofRank rank: Int, atMost most: Int) -> [Range<Int>] {
    precondition(most >= 1, "a step takes a pass")
    let own = shards(ofRank: rank)
    let n = min(most, own.count)
    return (0..<n).map {
      own.lowerBound + $0 * own.count / n..<own.lowerBound + ($0 + 1) * own.count / n
    }
  }

  private func firstLane(ofShard shard: Int) -> Int { shard * globalBatch / shards }
}
