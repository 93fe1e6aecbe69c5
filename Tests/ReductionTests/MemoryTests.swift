import Plan
import Reduction
import TestSupport
import Testing

/// Memory of a rank that shares with nobody.
@Suite struct MemoryTests {
  @Test func aRankAloneHasZerosInWholeCacheLines() throws {
    for byteCount in [0, 1, 64, 1000] {
      let window = try NodeMemory(byteCount: byteCount, node: nil)
      #expect(window.share == (0, 1))
      let bytes = UnsafeRawBufferPointer(start: window.memory(ofRank: 0), count: byteCount)
      #expect(bytes.allSatisfy { $0 == 0 } && Int(bitPattern: window.memory(ofRank: 0)) % 64 == 0)
      try window.barrier()
    }
  }

  @Test func everySubtreeHasAGradientOfItsOwn() throws {
    let memory = try GradientMemory(count: 5, subtrees: 2, gradients: 3)
    for subtree in 0..<3 { memory.gradient(subtree).update(repeating: Float(subtree + 1), count: 5) }
    for subtree in 0..<3 {
      #expect((0..<5).allSatisfy { memory.gradient(subtree)[$0] == Float(subtree + 1) })
      #expect(memory.gradient(subtree) == memory.gradient(subtree, ofRank: 0))
    }
    memory.addSubtrees(in: 1..<4)
    // The third one waits between passes, and is none of the end.
    #expect(Array(UnsafeBufferPointer(start: memory.gradient(0), count: 5)) == [1, 3, 3, 3, 1])
  }

  /// A node of ranks 0 and 2, whose shards are not beside each other.
  @Test func aNodeAddsUpEachOfItsSubtreesInARangeAlone() throws {
    let shards = [0..<3, 3..<6, 6..<8]
    var random = SplitMix(state: UInt64(1))
    let gradients = ShardGradients(count: 40, shards: shards, &random)
    let subtrees = shards.map { SummationTree.subtrees(of: $0, leafCount: 8) }
    let nodeSubtrees = NodePlan(firstRanks: [0, 1, 0]).subtrees(shards: shards, shardCount: 8)[0]
    let memory = try [0, 2].map { rank in
      let memory = try GradientMemory(count: 40, subtrees: subtrees[rank].count)
      for (index, subtree) in subtrees[rank].enumerated() {
        memory.gradient(index).update(from: gradients.sum(subtree), count: 40)
      }
      return memory
    }
    let terms = NodeTerms(nodeSubtrees: nodeSubtrees, rankSubtrees: [subtrees[0], subtrees[2]])
    let node = try NodeSum(terms, count: 40) { memory[$0].gradient($1) }
    node.add(7..<31)
    #expect(nodeSubtrees.flatMap(Array.init) == [0, 1, 2, 6, 7])
    for (index, subtree) in nodeSubtrees.enumerated() {
      let sum = gradients.sum(subtree)
      let expected = (0..<40).map { (7..<31).contains($0) ? sum[$0] : 0 }
      let found = UnsafeBufferPointer(start: node.sums.gradient(index), count: 40)
      #expect(firstDifference(found, expected) == nil, "\(subtree)")
    }
  }
}
