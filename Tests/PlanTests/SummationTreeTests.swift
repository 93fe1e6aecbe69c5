import Plan
import Testing

@Suite struct SummationTreeTests {
  @Test func aNodeSplitsAtTheLargestPowerOfTwoBelowItsLeaves() {
    #expect([2, 3, 4, 5, 8, 9].map { SummationTree.split(0..<$0) } == [1, 2, 2, 4, 4, 8])
    #expect(SummationTree.split(3..<6) == 5)
  }

  @Test func subtreesCoverTheirRangeAndAreFew() {
    for leafCount in 1...17 {
      for lower in 0...leafCount {
        for upper in lower...leafCount {
          let nodes = SummationTree.subtrees(of: lower..<upper, leafCount: leafCount)
          #expect(nodes.flatMap(Array.init) == Array(lower..<upper))
          let bits = Int.bitWidth - leafCount.leadingZeroBitCount
          #expect(nodes.count <= max(1, 2 * bits))
        }
      }
    }
  }

  /// Sums as sets of leaves: whatever the passes, those in the end are the subtrees, and no sum is written over that is
  /// still needed.
  @Test func sumsOfPassesBecomeTheSubtreesOfAllTheirLeaves() {
    for (leafCount, cuts) in [
      (8, [0, 2, 4, 6, 8]), (8, Array(0...8)), (8, [0, 3, 6, 8]), (8, [5, 6, 8]), (7, [1, 2, 5]),
    ] {
      let own = cuts[0]..<cuts[cuts.count - 1]
      let passes = zip(cuts, cuts.dropFirst()).map { $0..<$1 }
      var sums: [Range<Int>] = []
      var most = 0
      for node in passes.flatMap({ SummationTree.subtrees(of: $0, leafCount: leafCount) }) {
        let place = SummationTree.place(of: node, in: own, leafCount: leafCount)
        var sum = node
        for left in place.leftSiblings.reversed() {
          #expect(SummationTree.split(sums[left].lowerBound..<sum.upperBound) == sum.lowerBound)
          sum = sums[left].lowerBound..<sum.upperBound
        }
        #expect(place.index + place.leftSiblings.count == sums.count)
        sums = sums[..<place.index] + [sum]
        most = max(most, sums.count)
      }
      #expect(sums == SummationTree.subtrees(of: own, leafCount: leafCount), "\(cuts) of \(leafCount)")
      #expect(most == ShardedRows.gradientCount(passes: passes, shardCount: leafCount))
    }
  }

  @Test func aRankOfPowersOfTwoHoldsOneSubtree() {
    for ranks in [1, 2, 4, 8] {
      for rank in 0..<ranks {
        let shards = rank * 8 / ranks..<(rank + 1) * 8 / ranks
        #expect(SummationTree.subtrees(of: shards, leafCount: 8) == [shards])
      }
    }
  }

  /// For every set of leaves: its subtrees cover it, ascending, and no two of them are halves of one node.
  @Test(arguments: 1...9) func subtreesOfAnyLeavesAreMaximal(leafCount: Int) {
    for set in 0..<1 << leafCount {
      let isIncluded = (0..<leafCount).map { set >> $0 & 1 == 1 }
      let found = SummationTree.subtrees(ofLeaves: isIncluded)
      #expect(found.flatMap { Array($0) } == (0..<leafCount).filter { isIncluded[$0] })
      func visit(_ node: Range<Int>) {
        guard node.count > 1 else { return }
        let middle = SummationTree.split(node)
        #expect(!(found.contains(node.lowerBound..<middle) && found.contains(middle..<node.upperBound)))
        visit(node.lowerBound..<middle)
        visit(middle..<node.upperBound)
      }
      visit(0..<leafCount)
    }
    for first in 0...leafCount {
      for end in first...leafCount {
        let isIncluded = (0..<leafCount).map { first <= $0 && $0 < end }
        #expect(
          SummationTree.subtrees(ofLeaves: isIncluded)
            == SummationTree.subtrees(of: first..<end, leafCount: leafCount))
      }
    }
  }
}
