import Glibc
import Kernels
import MPI
import Timing

/// Adds gradients of several nodes whose ranks share memory. A driver (see `NodePlan`) sums its range straight from the
/// memory of its node's ranks as soon as all of them have finished a part, exchanges the sums with its peers on the
/// other nodes, and updates its range in the node's copy of the parameters. So a number leaves a node once, whatever
/// the number of ranks there, and the bits do not depend on where ranks are: subtrees of a node's shards are nodes of
/// the same tree.
final class NodeReducer: Reducer {
  let ownedRanges: [Range<Int>]
  var embedding: Range<Int>? { plan.embeddingRange }
  var sum: UnsafeMutablePointer<Float> { nodeSum.sums.gradient(0) }
  var shardValues: [Double] { numbers.shardValues }
  var stopWords: [Double] { numbers.stopWords }
  var changedRanges: [Range<Int>] { exchange?.changedRanges ?? [] }

  private let plan: ReductionPlan
  private let clock: StepClock
  private let notes: NodeNotes
  private let nodeSum: NodeSum
  /// Nil on a rank that is no driver.
  private let exchange: GradientExchange?
  private var numbers: GlobalNumbers
  /// Parts in the order of their submission, of which the node's sums of `started` are under way; and parts of all
  /// steps before.
  private var submitted: [Int] = []
  private var started = 0
  private var partsBefore = 0
  private var rows: [Int32] = []

  /// Collective, for two nodes or more.
  init(
    _ plan: ReductionPlan, memory: GradientMemory, world: World, node: Communicator, nodes: NodePlan, clock: StepClock
  ) throws {
    let place = nodes.place(ofRank: world.communicator.rank)
    let isDriver = place.index < nodes.drivers
    let parts = GradientParts(parts: plan.parts, ranks: nodes.drivers)
    self.plan = plan
    self.clock = clock
    ownedRanges = plan.parts.indices.map { part in
      isDriver
        ? parts.slice(ofPart: part, rank: place.index) : plan.parts[part].lowerBound..<plan.parts[part].lowerBound
    }
    let subtrees = nodes.subtrees(shards: plan.shards, shardCount: plan.shardCount)
    nodeSum = try NodeSum(
      nodeSubtrees: subtrees[place.node], rankSubtrees: nodes.nodes[place.node].map { plan.subtrees[$0] },
      memory: memory)
    notes = try NodeNotes(rows: plan.embedding?.rows ?? 0, node: node)
    let peers = try world.communicator.split(color: isDriver ? place.index : nil, key: place.node)
    exchange = try peers.map { [ownedRanges, nodeSum] peers in
      try GradientExchange(
        ExchangePlan(
          ranges: ownedRanges, table: plan.sendsRows ? plan.embedding : nil, shardCount: plan.shardCount,
          subtrees: subtrees), memory: nodeSum.sums, communicator: peers, world: world, clock: clock)
    }
    // All nodes have the same sums: the first one tells their squares.
    numbers = GlobalNumbers(
      plan, parts: parts,
      owners: plan.shards.indices.map { rank in
        let place = nodes.place(ofRank: rank)
        return place.node == 0 && place.index < nodes.drivers ? place.index : nil
      }, communicator: world.communicator)
    rows.reserveCapacity(plan.embedding?.mostRows ?? 0)
    submitted.reserveCapacity(plan.parts.count)
  }

  func submit(part: Int, rowsSeen: [Int32]) {
    if part == 0 && plan.embedding != nil { notes.mark(rowsSeen) }
    submitted.append(part)
    notes.finish(parts: partsBefore + submitted.count)
    start()
  }

  func poll() {
    if started < submitted.count && notes.allFinished(parts: partsBefore + started + 1) {
      clock.beginProgress()
      start()
      clock.endProgress()
    }
    exchange?.poll()
  }

  /// Sums and sends the parts that all ranks of the node have finished.
  private func start() {
    while started < submitted.count, notes.allFinished(parts: partsBefore + started + 1) {
      let part = submitted[started]
      started += 1
      guard let exchange else { continue }
      rows.removeAll(keepingCapacity: true)
      if part == 0, plan.sendsRows, let embedding = plan.embedding {
        notes.appendRows(to: &rows)
        for row in rows {
          let first = Int(row) * embedding.size
          nodeSum.add((first..<first + embedding.size).clamped(to: ownedRanges[0]))
        }
      } else {
        nodeSum.add(ownedRanges[part])
      }
      exchange.submit(part: part, rowsSeen: rows)
    }
  }

  func finish(ownShardValues: UnsafeBufferPointer<Double>, stopWord: Double) throws -> Double {
    clock.enter(.wait)
    while started < submitted.count {
      exchange?.progress()
      sched_yield()
      start()
    }
    exchange?.finish()
    partsBefore += submitted.count
    submitted.removeAll(keepingCapacity: true)
    started = 0
    plan.join(sum, changed: changedRanges)
    // Nobody comes out of this before all have read their neighbours' gradients.
    return try numbers.norm(
      of: sum, changed: plan.ofParameters(changedRanges), ownShardValues: ownShardValues, stopWord: stopWord,
      clock: clock)
  }
}
