import Kernels
import Reduction
import TestSupport
import Testing

/// Virtual nodes whose ranks read each other's memory, and whose drivers exchange messages that arrive in random order.
@Suite struct NodeTests {
  private static let (rows, size) = (1400, 3)
  private static let table = rows * size
  /// Parts of several norm blocks, so that drivers own slices that cut rows.
  private static let parts = [0..<table, table..<table + 1, table + 1..<table + 5001]
  private static let count = table + 5001

  private final class VirtualRank {
    let (rank, node): (Int, Int)
    var machine: NodeStateMachine
    /// The gradients of its subtrees.
    var gradients: [[Float]] = []
    var rows: [Int32] = []
    /// What the others of its node see.
    var (published, publishedRows): (Int, [Int32]) = (0, [])
    let driver: VirtualPeer?
    var left = 0

    init(rank: Int, node: Int, machine: NodeStateMachine, driver: VirtualPeer?) {
      (self.rank, self.node, self.machine, self.driver) = (rank, node, machine, driver)
    }
  }

  private final class Simulation {
    let plan: ReductionPlan
    let nodes: NodePlan
    private(set) var ranks: [VirtualRank] = []
    private let networks: [VirtualNetwork]
    private let gathers: [VirtualGather]
    private let terms: [NodeTerms]

    init(_ plan: ReductionPlan, _ nodes: NodePlan) {
      self.plan = plan
      self.nodes = nodes
      networks = (0..<nodes.drivers).map { _ in VirtualNetwork() }
      gathers = (0..<nodes.drivers).map { _ in VirtualGather() }
      let subtrees = nodes.subtrees(shards: plan.shards, shardCount: plan.shardCount)
      terms = nodes.nodes.enumerated().map { node, ranks in
        NodeTerms(nodeSubtrees: subtrees[node], rankSubtrees: ranks.map { plan.subtrees[$0] })
      }
      ranks = plan.shards.indices.map { rank in
        let place = nodes.place(ofRank: rank)
        let driver =
          place.index < nodes.drivers
          ? VirtualPeer(
            nodes.exchange(plan, driver: place.index, subtrees: subtrees), rank: place.node, count: NodeTests.count,
            mostElements: 700, network: networks[place.index], gather: gathers[place.index]) : nil
        return VirtualRank(
          rank: rank, node: place.node, machine: NodeStateMachine(plan, nodes: nodes, rank: rank), driver: driver)
      }
    }

    private func submit(_ rank: VirtualRank) -> Bool {
      guard rank.left > 0 else { return false }
      rank.left -= 1
      rank.machine.receive(.submitted(part: rank.left, rows: rank.left == 0 ? rank.rows : [])) { act($0, rank) }
      return true
    }

    private func notice(_ rank: VirtualRank) -> Bool {
      let neighbours = nodes.nodes[rank.node].map { ranks[$0] }
      guard let parts = rank.machine.awaitedParts, neighbours.allSatisfy({ $0.published >= parts }) else {
        return false
      }
      let rows = rank.machine.awaitsRows ? Set(neighbours.flatMap(\.publishedRows)).sorted() : []
      rank.machine.receive(.finishedByAll(rows: rows)) { act($0, rank) }
      return true
    }

    private func act(_ action: NodeStateMachine.Action, _ rank: VirtualRank) {
      switch action {
      case .publishRows(let rows): rank.publishedRows = rows
      case .publishFinished(let parts): rank.published = parts
      case .sum(let range): sum(range, rank)
      case .exchange(let part, let rows): rank.driver?.receive(.submitted(part: part, rows: rows))
      }
    }

    /// Only parts that all ranks of the node have finished are in their memory.
    private func sum(_ range: Range<Int>, _ rank: VirtualRank) {
      guard let driver = rank.driver else {
        Issue.record("rank \(rank.rank) is no driver")
        return
      }
      let terms = terms[rank.node]
      for (subtree, sum) in terms.treeSums.enumerated() {
        let sources = terms.terms[subtree].map { ranks[nodes.nodes[rank.node][$0.rank]].gradients[$0.subtree] }
        let copies = sources.map { source in
          let copy = UnsafeMutablePointer<Float>.allocate(capacity: range.count)
          copy.initialize(from: Array(source[range]), count: range.count)
          return copy
        }
        var scratch = [Float](repeating: .nan, count: sum.scratchCount)
        sum.add(
          copies.map { UnsafePointer($0) }, at: 0, into: driver.gradients[subtree].baseAddress! + range.lowerBound,
          count: range.count, scratch: &scratch)
        for copy in copies { copy.deallocate() }
      }
    }

    /// One step, in random order.
    func step(_ gradients: ShardGradients, rows: [[Int32]], _ random: inout SplitMix) {
      for rank in ranks {
        rank.gradients = plan.subtrees[rank.rank].map(gradients.sum)
        (rank.rows, rank.left) = (rows[rank.rank], plan.parts.count)
        // As the reducer leaves it: rows that nobody has are +0.0.
        for memory in rank.driver?.gradients ?? [] {
          memory.update(repeating: .nan)
          memory[..<NodeTests.table].update(repeating: 0)
        }
      }
      var isMoving = true
      while isMoving {
        let start = Int.random(in: 0..<4 * ranks.count, using: &random)
        isMoving = (0..<4 * ranks.count).contains { index in
          let choice = (start + index) % (4 * ranks.count)
          let rank = ranks[choice / 4]
          return switch choice % 4 {
          case 0: submit(rank)
          case 1: notice(rank)
          case 2: rank.driver?.advance(&random) ?? false
          default: networks[choice / 4 % networks.count].move(&random)
          }
        }
      }
      #expect(networks.allSatisfy { $0.isEmpty }, "every message has been received")
      for gather in gathers { gather.clear() }
    }

    func endStep() {
      for rank in ranks {
        rank.machine.endStep()
        rank.driver?.endStep()
      }
    }
  }

  private func check(firstRanks: [Int], shardCount: Int, sendsRows: Bool) {
    var random = SplitMix(state: UInt64(shardCount))
    let nodes = NodePlan(firstRanks: firstRanks)
    let shards = Truth.shards(shardCount, ranks: firstRanks.count)
    let plan = ReductionPlan(
      parts: NodeTests.parts, embedding: (NodeTests.rows, NodeTests.size, NodeTests.rows), sendsRows: sendsRows,
      sharedPart: nil, shardCount: shardCount, shards: shards)
    let simulation = Simulation(plan, nodes)
    for probability in [0.02, 0.001] {
      // The row in which the second driver's slice begins, in every step.
      let boundary = Int32(normBlock / NodeTests.size)
      let rows = firstRanks.map { _ in
        Set(random.rows(NodeTests.rows, probability: probability) + [boundary]).sorted()
      }
      let gradients = ShardGradients(
        count: NodeTests.count, shards: shards, rows: rows, rowSize: NodeTests.size, table: NodeTests.table, &random)
      simulation.step(gradients, rows: rows, &random)
      let sum = gradients.sum(0..<shardCount)
      for rank in simulation.ranks {
        #expect(rank.left == 0 && rank.machine.awaitedParts == nil, "no rank waits for ever")
        guard let driver = rank.driver else { continue }
        #expect(driver.machine.isComplete && driver.arrived == plan.parts.indices.reversed())
        for range in driver.plan.ranges {
          #expect(bits(driver.gradients[0][range]) == bits(sum[range]), "rank \(rank.rank) of \(firstRanks)")
        }
      }
      simulation.endStep()
    }
  }

  @Test(arguments: NodePlanTests.places.filter { Set($0).count > 1 })
  func driversHaveTheBitsOfTheTreeSum(firstRanks: [Int]) {
    for shardCount in [firstRanks.count, 13, 16] {
      check(firstRanks: firstRanks, shardCount: shardCount, sendsRows: true)
      check(firstRanks: firstRanks, shardCount: shardCount, sendsRows: false)
    }
  }

  /// A rank that is no driver tells its neighbours what it has, and does nothing else.
  @Test func aPartIsSummedOnceAllRanksOfTheNodeHaveFinishedIt() {
    let nodes = NodePlan(firstRanks: [0, 0, 2])
    let plan = ReductionPlan(
      parts: [0..<6, 6..<10], embedding: (2, 3, 2), sendsRows: true, sharedPart: nil, shardCount: 3,
      shards: Truth.shards(3, ranks: 3))
    for (rank, isDriver) in [(0, true), (1, false)] {
      var machine = NodeStateMachine(plan, nodes: nodes, rank: rank)
      var actions: [NodeStateMachine.Action] = []
      for step in 0..<2 {
        #expect(machine.awaitedParts == nil)
        machine.receive(.submitted(part: 1, rows: [])) { actions.append($0) }
        machine.receive(.submitted(part: 0, rows: [1])) { actions.append($0) }
        #expect(
          actions == [.publishFinished(parts: 2 * step + 1), .publishRows([1]), .publishFinished(parts: 2 * step + 2)])
        actions = []
        #expect(machine.awaitedParts == 2 * step + 1 && !machine.awaitsRows)
        machine.receive(.finishedByAll(rows: [])) { actions.append($0) }
        #expect(machine.awaitedParts == 2 * step + 2 && machine.awaitsRows == isDriver)
        machine.receive(.finishedByAll(rows: [0, 1])) { actions.append($0) }
        let expected: [NodeStateMachine.Action] = [
          .sum(6..<10), .exchange(part: 1, rows: []), .sum(0..<3), .sum(3..<6), .exchange(part: 0, rows: [0, 1]),
        ]
        #expect(actions == (isDriver ? expected : []))
        actions = []
        machine.endStep()
      }
    }
  }
}
