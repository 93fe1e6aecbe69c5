import Plan
import Reduction
import TestSupport
import Testing

/// Virtual ranks of which each has the whole sum: what `MPI_Allreduce` does is said plainly, the rest is the reducers'.
@Suite struct AllReduceTests {
  /// Each rank adds up its own subtrees, all ranks their sums, and each squares its share.
  private func check(_ gradient: VirtualGradient, ranks: Int, shardCount: Int) throws {
    var random = SplitMix(state: UInt64(ranks * 100 + shardCount))
    let plan = gradient.plan(ranks: ranks, shardCount: shardCount)
    let leaves = gradient.leaves(plan, rows: plan.shards.map { _ in [0, 7, 1399] }, &random)
    let memory = try plan.subtrees.map { subtrees in
      let memory = try GradientMemory(count: gradient.count, subtrees: subtrees.count)
      for (index, subtree) in subtrees.enumerated() {
        memory.gradient(index).update(from: leaves.sum(subtree), count: gradient.count)
      }
      return memory
    }
    var whole = [Float](repeating: 0, count: gradient.count)
    for (own, subtrees) in zip(memory, plan.subtrees) {
      for part in plan.parts { own.addSubtrees(in: part) }
      let terms = subtrees.map(leaves.sum)
      let expected = terms.dropFirst().reduce(terms[0]) { sum, term in zip(sum, term).map { $0 + $1 } }
      let added = UnsafeBufferPointer(start: own.gradient(0), count: gradient.count)
      #expect(firstDifference(added, expected) == nil, "every subtree of \(subtrees) counts once")
      for element in whole.indices { whole[element] += added[element] }
    }
    let (sum, norm) = gradient.truth(whole)
    for own in memory {
      own.gradient(0).update(from: whole, count: gradient.count)
      plan.join(own.gradient(0), changed: plan.parts)
      let joined = UnsafeBufferPointer(start: own.gradient(0), count: gradient.count)
      for part in plan.parts { #expect(firstDifference(joined[part], sum[part]) == nil, "\(part)") }
    }
    let parts = GradientParts(parts: plan.parts, ranks: ranks)
    let shares = memory.enumerated().map { rank, own in
      var share = NormShare(plan, parts: parts, owner: rank)
      share.square(own.gradient(0), changed: plan.parts)
      return share
    }
    let layout = ScalarLayout(parts: parts, owners: memory.indices.map { $0 }, shards: plan.shards)
    for share in gathered(layout, shares, shards: plan.shards) {
      #expect(share.norm == norm, "\(ranks) ranks, S \(shardCount)")
    }
  }

  @Test(arguments: 2...9) func everySubtreeOfARankIsAdded(ranks: Int) throws {
    for shardCount in [ranks, 11, 16] { try check(.plain, ranks: ranks, shardCount: shardCount) }
  }

  @Test(arguments: 2...9) func aSharedMatrixIsJoinedAndCountsOnce(ranks: Int) throws {
    for shardCount in [ranks, 13] { try check(.tied, ranks: ranks, shardCount: shardCount) }
  }
}

/// The scalars that go with a gradient, gathered rank after rank.
@Suite struct ScalarTests {
  /// By one owner a rank, and by the drivers of one node of several.
  @Test(arguments: NodePlanTests.places) func everyRankGetsTheBlocksShardsAndFlagsOfAll(firstRanks: [Int]) {
    let nodes = NodePlan(firstRanks: firstRanks)
    let ranks = firstRanks.count
    for (count, owners) in [(ranks, firstRanks.indices.map { $0 }), (nodes.drivers, nodes.normOwners())] {
      let plan = VirtualGradient.plain.plan(ranks: ranks, shardCount: 11)
      let parts = GradientParts(parts: plan.parts, ranks: count)
      let layout = ScalarLayout(parts: parts, owners: owners, shards: plan.shards)
      let shares = owners.map { owner in
        var share = NormShare(plan, parts: parts, owner: owner)
        // What belongs to others is not to be sent.
        share.blockSums = parts.parts.indices.flatMap { part in
          (0..<parts.blocks(ofPart: part, rank: count - 1).upperBound).map { block in
            let isOwn = owner.map { parts.blocks(ofPart: part, rank: $0).contains(block) } ?? false
            return isOwn ? Double(parts.firstBlock[part] + block) : .nan
          }
        }
        return share
      }
      for share in gathered(layout, shares, shards: plan.shards) {
        #expect(share.blockSums == (0..<parts.blockCount).map(Double.init))
      }
      #expect(layout.counts.reduce(0, +) == parts.blockCount + 11 + ranks)
    }
  }
}

/// What each rank knows after all have gathered their scalars. Shard s has the value 100 + s, rank r the flag −r.
func gathered(_ layout: ScalarLayout, _ shares: [NormShare], shards: [Range<Int>]) -> [NormShare] {
  var all: [Double] = []
  for (rank, share) in shares.enumerated() {
    var mine = [Double](repeating: .nan, count: layout.counts.max()!)
    shards[rank].map { 100 + Double($0) }.withUnsafeBufferPointer {
      layout.write(rank: rank, blockSums: share.blockSums, own: $0, stopFlag: -Double(rank), to: &mine)
    }
    all += mine[..<layout.counts[rank]]
  }
  return shares.map { share in
    var share = share
    var values = [Double](repeating: .nan, count: shards.last!.upperBound)
    var flags = [Double](repeating: .nan, count: shares.count)
    layout.read(all, blockSums: &share.blockSums, shardValues: &values, stopFlags: &flags)
    #expect(values == values.indices.map { 100 + Double($0) } && flags == shares.indices.map { -Double($0) })
    return share
  }
}
