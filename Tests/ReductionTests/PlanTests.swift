import Kernels
import Plan
import Reduction
import TestSupport
import Testing

@Suite struct GradientPartsTests {
  private let parts = [0..<3 * normBlock + 1, 3 * normBlock + 1..<3 * normBlock + 2, 12290..<12290, 12290..<60001]

  @Test(arguments: 1...9) func slicesCoverEachPartInOrderAndBeginAtBlocks(ranks: Int) {
    let plan = GradientParts(parts: parts, ranks: ranks)
    for (part, range) in parts.enumerated() {
      let slices = (0..<ranks).map { plan.slice(ofPart: part, rank: $0) }
      #expect(slices.flatMap(Array.init) == Array(range), "every element has one owner")
      let blocks = (range.count + normBlock - 1) / normBlock
      let counts = (0..<ranks).map { plan.blocks(ofPart: part, rank: $0).count }
      #expect(counts.reduce(0, +) == blocks)
      #expect(counts.max()! - counts.min()! <= 1, "blocks are spread evenly")
      for slice in slices where !slice.isEmpty {
        #expect((slice.lowerBound - range.lowerBound) % normBlock == 0)
        #expect(slice.upperBound == range.upperBound || (slice.upperBound - range.lowerBound) % normBlock == 0)
      }
    }
    #expect(plan.firstBlock == [0, 4, 5, 5])
    #expect(plan.blockCount == 17)
  }

  /// Squares block by block, with gaps between the changed ranges; and `complete` before a block is read.
  @Test(arguments: 1...9) func squaresAreOfBlocksWhoeverOwnsThem(ranks: Int) {
    var random = SplitMix(state: UInt64(ranks))
    let plan = GradientParts(parts: parts, ranks: ranks)
    let changed = [5..<9, 4095..<4097, 12287..<12288, 12290..<12291, 20000..<30000, 59999..<60001]
    var (truth, gradient) = ([Float](repeating: 0, count: 60001), [Float](repeating: 0, count: 60001))
    for range in changed { for element in range { truth[element] = random.float() } }
    var sums = [Double](repeating: .nan, count: plan.blockCount)
    var completed: [Int] = []
    for part in parts.indices {
      for rank in 0..<ranks {
        gradient.withUnsafeMutableBufferPointer { gradient in
          plan.squaredSums(
            ofPart: part, rank: rank, changed: changed[...], gradient: gradient.baseAddress!, sums: &sums
          ) { range in
            completed += range
            for element in range { gradient[element] = truth[element] }
          }
        }
      }
    }
    #expect(completed == changed.flatMap(Array.init), "every changed element is completed once")
    var expected: [Double] = []
    for part in parts {
      for first in stride(from: part.lowerBound, to: part.upperBound, by: normBlock) {
        expected.append(0)
        truth.withUnsafeBufferPointer {
          blockSquaredSums(
            $0.baseAddress! + first, count: min(normBlock, part.upperBound - first), sums: &expected[expected.count - 1]
          )
        }
      }
    }
    #expect(sums.map(\.bitPattern) == expected.map(\.bitPattern))
  }
}

@Suite struct ExchangePlanTests {
  @Test(arguments: 1...9) func termsAreTheSubtreesOfAllPeersInOrder(peers: Int) {
    for shardCount in peers...16 {
      let subtrees = Truth.shards(shardCount, ranks: peers).map {
        SummationTree.subtrees(of: $0, leafCount: shardCount)
      }
      // Peers whose shards are not beside each other, as on nodes.
      let turned = Array(subtrees.reversed())
      for order in [subtrees, turned] {
        let plan = ExchangePlan(ranges: [0..<1], table: nil, shardCount: shardCount, subtrees: order)
        #expect(plan.sortedSubtrees.flatMap(Array.init) == Array(0..<shardCount))
        for (peer, terms) in plan.terms.enumerated() {
          #expect(terms.map { plan.sortedSubtrees[$0] } == order[peer])
        }
        #expect(plan.peers == peers && plan.mostSubtrees == order.map(\.count).max())
      }
    }
  }

  @Test(arguments: 2...9) func bucketsCoverTheirPartsAndSlicesTheirBuckets(peers: Int) {
    let ranges = [7..<207, 207..<208, 210..<210, 300..<317]
    for hasTable in [false, true] {
      let plan = ExchangePlan(
        ranges: ranges, table: hasTable ? (70, 3, 9) : nil, shardCount: peers,
        subtrees: (0..<peers).map { [$0..<$0 + 1] })
      let buckets = BucketPlan(plan, mostElements: 16)
      var tags: Set<Int> = []
      for (part, range) in ranges.enumerated() {
        let own = buckets.ofPart[part]
        #expect(own.flatMap { Array(buckets.ranges[$0]) } == Array(range))
        for bucket in own {
          #expect(buckets.parts[bucket] == part)
          let slices = (0..<peers).map { buckets.slice(ofBucket: bucket, peer: $0) }
          #expect(slices.flatMap(Array.init) == Array(buckets.ranges[bucket]))
          #expect(slices.map(\.count).max()! - slices.map(\.count).min()! <= 1)
          tags.formUnion([buckets.tag(bucket: bucket, subtree: 0), buckets.allGatherTag(bucket: bucket)])
          if hasTable && part == 0 { continue }
          #expect(buckets.ranges[bucket].count <= 16)
        }
        for elements in [0, 15, 16, range.count - 1, range.count] where elements >= 0 {
          let early = own.dropLast().filter { buckets.ranges[$0].upperBound <= range.lowerBound + elements }.count
          #expect(buckets.buckets(ofPart: part, within: elements) == (hasTable && part == 0 ? 0 : early))
        }
      }
      #expect(buckets.ofPart[0].count == (hasTable ? 1 : 13))
      #expect(tags.count == 2 * buckets.ranges.count && tags.max()! < buckets.tagCount, "tags are distinct")
    }
  }
}

@Suite struct NodePlanTests {
  /// Ranks of 1 to 4 nodes, beside each other and dealt out in turn.
  static let places: [[Int]] = [
    [0], [0, 0, 0], [0, 1], [0, 0, 0, 3], [0, 1, 0, 1, 0], [0, 0, 2, 2, 2, 2, 2, 7, 7], [0, 1, 2, 0, 1, 0, 0],
    [0, 1, 1, 3, 3, 3, 6, 6, 6], [0, 1, 2, 3, 0, 1, 2, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 8],
  ]

  @Test(arguments: places) func everyNodeHasAsManyDriversAsTheSmallestHasRanks(firstRanks: [Int]) {
    let plan = NodePlan(firstRanks: firstRanks)
    #expect(plan.nodes.flatMap(\.self).sorted() == Array(firstRanks.indices))
    for ranks in plan.nodes {
      #expect(Set(ranks.map { firstRanks[$0] }).count == 1 && ranks == ranks.sorted())
      #expect(ranks.filter(plan.isDriver).count == plan.drivers)
      for (index, rank) in ranks.enumerated() {
        let place = plan.place(ofRank: rank)
        #expect(plan.nodes[place.node] == ranks && place.index == index)
      }
    }
    #expect(plan.drivers == plan.nodes.map(\.count).min())
    let owners = plan.normOwners()
    #expect(owners.compactMap(\.self) == Array(0..<plan.drivers), "each slice is squared by one rank, of one node")
    #expect(firstRanks.indices.allSatisfy { owners[$0] == nil || firstRanks[$0] == 0 })
  }

  @Test(arguments: places) func driversOwnThePartsAndNodesTheTree(firstRanks: [Int]) {
    let nodes = NodePlan(firstRanks: firstRanks)
    let parts = [0..<9000, 9000..<9001, 9001..<30001]
    for part in parts.indices {
      let owned = (0..<nodes.drivers).flatMap { Array(nodes.ownedRanges(parts: parts, driver: $0)[part]) }
      #expect(owned == Array(parts[part]))
    }
    for shardCount in firstRanks.count...16 {
      let shards = Truth.shards(shardCount, ranks: firstRanks.count)
      let subtrees = nodes.subtrees(shards: shards, shardCount: shardCount)
      for (node, ranks) in nodes.nodes.enumerated() {
        #expect(subtrees[node].flatMap(Array.init) == ranks.flatMap { Array(shards[$0]) }.sorted())
        let rankSubtrees = ranks.map { SummationTree.subtrees(of: shards[$0], leafCount: shardCount) }
        let terms = NodeTerms(nodeSubtrees: subtrees[node], rankSubtrees: rankSubtrees)
        for (subtree, terms) in zip(subtrees[node], terms.terms) {
          #expect(terms.flatMap { Array(rankSubtrees[$0.rank][$0.subtree]) } == Array(subtree))
        }
      }
    }
  }
}
