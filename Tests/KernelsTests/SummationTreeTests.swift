import Kernels
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

  @Test func aRankOfPowersOfTwoHoldsOneSubtree() {
    for ranks in [1, 2, 4, 8] {
      for rank in 0..<ranks {
        let shards = rank * 8 / ranks..<(rank + 1) * 8 / ranks
        #expect(SummationTree.subtrees(of: shards, leafCount: 8) == [shards])
      }
    }
  }
}
