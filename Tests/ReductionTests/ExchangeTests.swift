import Plan
import Reduction
import TestSupport
import Testing

/// Exchanges of virtual peers, whose messages arrive in random order.
@Suite struct ExchangeTests {
  private static let (rows, size) = (70, 3)

  /// Parts behind a table of 70 rows of 3 elements; of odd sizes, one without elements.
  private static let parts = [0..<210, 210..<247, 247..<248, 248..<248, 248..<301]

  private func plan(peers: Int, shardCount: Int, hasTable: Bool, ranges: [Range<Int>] = parts) -> ExchangePlan {
    ExchangePlan(
      ranges: ranges, table: hasTable ? (ExchangeTests.rows, ExchangeTests.size, ExchangeTests.rows) : nil,
      shardCount: shardCount,
      subtrees: Truth.shards(shardCount, ranks: peers).map { SummationTree.subtrees(of: $0, leafCount: shardCount) })
  }

  /// Everything happens that can, in random order. Each peer submits its parts from the last to the first, the
  /// beginnings of some before.
  private func run(_ peers: [VirtualPeer], _ network: VirtualNetwork, rows: [[Int32]], _ random: inout SplitMix) {
    var left = peers.map { $0.plan.ranges.count }
    func submit(_ index: Int) -> Bool {
      guard left[index] > 0 else { return false }
      let part = left[index] - 1
      if Int.random(in: 0..<3, using: &random) > 0 {
        let most = peers[index].plan.ranges[part].count
        peers[index].receive(.written(part: part, elements: Int.random(in: 0...most, using: &random)))
        return true
      }
      peers[index].receive(.submitted(part: part, rows: part == 0 ? rows[index] : []))
      left[index] -= 1
      return true
    }
    var isMoving = true
    while isMoving {
      let start = Int.random(in: 0..<3 * peers.count, using: &random)
      isMoving = (0..<3 * peers.count).contains { index in
        let choice = (start + index) % (3 * peers.count)
        return switch choice % 3 {
        case 0: submit(choice / 3)
        case 1: peers[choice / 3].advance(&random)
        default: network.move(&random)
        }
      }
    }
  }

  private func check(peers: Int, shardCount: Int, hasTable: Bool, ranges: [Range<Int>] = parts, mostElements: Int) {
    var random = SplitMix(state: UInt64(peers * 1000 + shardCount))
    let plan = plan(peers: peers, shardCount: shardCount, hasTable: hasTable, ranges: ranges)
    let (network, gather) = (VirtualNetwork(), VirtualGather())
    let all = (0..<peers).map {
      VirtualPeer(plan, rank: $0, count: 301, mostElements: mostElements, network: network, gather: gather)
    }
    let shards = Truth.shards(shardCount, ranks: peers)
    // Three steps, of which none leaves anything to the next.
    for probability in [0.3, 0.05, 0] {
      let rows = (0..<peers).map { _ in random.rows(ExchangeTests.rows, probability: probability) }
      let gradients = ShardGradients(
        count: 301, shards: shards, rows: rows, rowSize: ExchangeTests.size, table: hasTable ? 210 : 0, &random)
      for peer in all {
        for (memory, subtree) in zip(peer.gradients, plan.subtrees[peer.rank]) {
          _ = memory.update(fromContentsOf: gradients.sum(subtree))
        }
      }
      run(all, network, rows: rows, &random)
      #expect(network.isEmpty, "every message has been received")
      let (sum, seen) = (gradients.sum(0..<shardCount), Set(rows.joined()))
      for peer in all {
        #expect(peer.machine.isComplete && peer.arrived == plan.ranges.indices.reversed(), "no peer waits for ever")
        #expect(peer.departed == peer.arrived)
        let own = gradients.sum(plan.subtrees[peer.rank][0])
        var expected = own
        for range in plan.ranges { for element in range { expected[element] = sum[element] } }
        #expect(bits(peer.gradients[0]) == bits(expected), "rank \(peer.rank) of \(peers), S \(shardCount)")
        var changed: [Range<Int>] = []
        peer.machine.appendChangedRanges(to: &changed)
        let isChanged = { (element: Int) in
          element >= 210 || !hasTable || seen.contains(Int32(element / ExchangeTests.size))
        }
        #expect(changed.flatMap(Array.init) == plan.ranges.joined().filter(isChanged))
        if !hasTable { checkBytes(peer) }
        peer.endStep()
      }
      gather.clear()
    }
  }

  /// In the reduce-scatter a peer sends of each of its subtrees the others' slices; in the all-gather its slice to all.
  private func checkBytes(_ peer: VirtualPeer) {
    let buckets = peer.machine.buckets
    var (scattered, gathered) = (0, 0)
    for bucket in buckets.ranges.indices {
      let own = buckets.slice(ofBucket: bucket, peer: peer.rank).count
      scattered += peer.plan.subtrees[peer.rank].count * (buckets.ranges[bucket].count - own)
      gathered += (peer.plan.peers - 1) * own
    }
    #expect(peer.sent[.reduceScatter, default: 0] == scattered)
    #expect(peer.sent[.allGather, default: 0] == gathered)
  }

  @Test(arguments: 2...9) func everyPeerHasTheBitsOfTheTreeSum(peers: Int) {
    for shardCount in peers...16 { check(peers: peers, shardCount: shardCount, hasTable: false, mostElements: 16) }
  }

  @Test(arguments: 2...9) func rowsThatSomePeerHasAreSummed(peers: Int) {
    for shardCount in peers...16 { check(peers: peers, shardCount: shardCount, hasTable: true, mostElements: 16) }
  }

  /// As between nodes, where peers add up a range of each part: one that cuts rows, one without elements.
  @Test(arguments: 2...9) func rangesThatCutRowsAreSummed(peers: Int) {
    for ranges in [[61..<140, 220..<230, 247..<248, 248..<248, 250..<301], [210..<210, 210..<210, 247..<247]] {
      check(peers: peers, shardCount: 11, hasTable: true, ranges: ranges, mostElements: 7)
      check(peers: peers, shardCount: 16, hasTable: false, ranges: ranges, mostElements: 7)
    }
  }

  /// The picture in Sources/Reduction/README.md, and the same for other powers of two: 2·(P − 1)/P of the gradient.
  @Test(arguments: [2, 4, 8]) func eachOfPPeersSendsTheBytesOfTheBestAllReduce(peers: Int) {
    let plan = plan(peers: peers, shardCount: 8, hasTable: false, ranges: [0..<64])
    let (network, gather) = (VirtualNetwork(), VirtualGather())
    var random = SplitMix(state: UInt64(peers))
    let all = (0..<peers).map {
      VirtualPeer(plan, rank: $0, count: 64, mostElements: 32, network: network, gather: gather)
    }
    for peer in all { peer.gradients[0].update(repeating: 1) }
    run(all, network, rows: all.map { _ in [] }, &random)
    for peer in all {
      #expect(peer.sent == [.reduceScatter: 64 * (peers - 1) / peers, .allGather: 64 * (peers - 1) / peers])
    }
  }

  /// Nothing departs before its elements are final, and rows hold up what is queued behind them.
  @Test func aBucketDepartsOnceItsElementsAreFinal() {
    var machine = ExchangeStateMachine(plan(peers: 2, shardCount: 2, hasTable: true), rank: 0, mostElements: 16)
    func sent(_ event: ExchangeStateMachine.Event) -> [Int] {
      var places: [Int] = []
      machine.receive(event) {
        if case .send(let message) = $0, case .gradient(_, let element) = message.place { places.append(element) }
      }
      return places
    }
    // Buckets of part 4: 248..<261, 261..<274, 274..<287, 287..<301; the peer owns the second half of each.
    #expect(sent(.written(part: 4, elements: 12)) == [])
    #expect(sent(.written(part: 4, elements: 13)) == [254])
    #expect(sent(.written(part: 4, elements: 13)) == [])
    #expect(sent(.written(part: 4, elements: 53)) == [267, 280], "the last bucket departs with the whole part")
    #expect(sent(.submitted(part: 4, rows: [])) == [294])
    #expect(sent(.submitted(part: 0, rows: [1])) == [])
    #expect(machine.awaitsRows)
    #expect(sent(.submitted(part: 2, rows: [])) == [])
    machine.seen?.all.update(repeating: 0)
    #expect(sent(.rowsGathered) == [247])
  }
}
