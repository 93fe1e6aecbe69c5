import Plan
import Reduction
import TestSupport
import Testing

@Suite struct TreeSumTests {
  /// Adds one range of every rank's subtrees, in another place and with other elements around it.
  private func check(shardCount: Int, ranks: Int, count: Int, offset: Int) {
    var random = SplitMix(state: UInt64(shardCount * 100 + ranks))
    let shards = Truth.shards(shardCount, ranks: ranks)
    let gradients = ShardGradients(count: offset + count + 3, shards: shards, &random)
    let subtrees = shards.flatMap { SummationTree.subtrees(of: $0, leafCount: shardCount) }
    let sum = TreeSum(root: 0..<shardCount, subtrees: subtrees)
    let terms = subtrees.map(gradients.sum)
    let pointers = terms.map { term in
      let copy = UnsafeMutablePointer<Float>.allocate(capacity: term.count)
      copy.initialize(from: term, count: term.count)
      return copy
    }
    var scratch = [Float](repeating: .nan, count: sum.scratchCount)
    // In place, as owners of slices add.
    sum.add(
      pointers.map { UnsafePointer($0) }, at: offset, into: pointers[0] + offset, count: count, scratch: &scratch)
    let expected = gradients.sum(0..<shardCount)
    let result = UnsafeBufferPointer(start: pointers[0], count: offset + count + 3)
    #expect(bits(result[offset..<offset + count]) == bits(expected[offset..<offset + count]))
    #expect(bits(result[..<offset]) == bits(terms[0][..<offset]), "elements before the range are left alone")
    #expect(bits(result[(offset + count)...]) == bits(terms[0][(offset + count)...]), "and those behind it")
    for pointer in pointers { pointer.deallocate() }
  }

  @Test(arguments: 1...9) func theSumOfSubtreesHasTheBitsOfTheTreeOverAllShards(ranks: Int) {
    for shardCount in ranks...16 { check(shardCount: shardCount, ranks: ranks, count: 19, offset: 5) }
  }

  @Test(arguments: [0, 1, 1023, 1024, 1025, 2500]) func aRangeIsAddedWholeWhateverItsLength(count: Int) {
    check(shardCount: 7, ranks: 3, count: count, offset: 2)
  }

  @Test func aNodeBelowTheRootIsSummedAlone() {
    var random = SplitMix(state: 1)
    let gradients = ShardGradients(count: 4, shards: Truth.shards(13, ranks: 13), &random)
    let sum = TreeSum(root: 8..<12, subtrees: [8..<9, 9..<10, 10..<12])
    let terms = [8..<9, 9..<10, 10..<12].map(gradients.sum)
    var (result, scratch) = ([Float](repeating: 0, count: 4), [Float](repeating: .nan, count: sum.scratchCount))
    terms[0].withUnsafeBufferPointer { a in
      terms[1].withUnsafeBufferPointer { b in
        terms[2].withUnsafeBufferPointer { c in
          sum.add(
            [a.baseAddress!, b.baseAddress!, c.baseAddress!], at: 0, into: &result, count: 4, scratch: &scratch)
        }
      }
    }
    #expect(bits(result) == bits(gradients.sum(8..<12)))
  }
}
