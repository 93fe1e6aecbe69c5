import Glibc
import Kernels
import MPI
import Timing

/// Adds gradients of several nodes whose ranks share memory. A driver (see `NodePlan`) sums its range straight from the
/// memory of its node's ranks as soon as all of them have finished a part, exchanges the sums with its peers on the
/// other nodes, and updates its range in the node's copy of the parameters. So an element leaves a node once, whatever
/// the number of ranks there, and the bits do not depend on where ranks are: subtrees of a node's shards are nodes of
/// the same tree. Does what `NodeStateMachine` says.
final class NodeReducer: Reducer {
  let ownedRanges: [Range<Int>]
  var embedding: Range<Int>? { plan.embeddingRange }
  var sum: UnsafeMutablePointer<Float> { nodeSum.sums.gradient(0) }
  var shardValues: [Double] { norm.shardValues }
  var stopFlags: [Double] { norm.stopFlags }
  var changedRanges: [Range<Int>] { exchange?.changedRanges ?? [] }

  private let plan: ReductionPlan
  private let clock: StepClock
  private let flags: NodeFlags
  private let nodeSum: NodeSum
  /// Nil on a rank that is no driver.
  private let exchange: GradientExchange?
  private var norm: GlobalNorm
  private var machine: NodeStateMachine
  private var rows: [Int32] = []

  /// Collective, for two nodes or more.
  init(
    _ plan: ReductionPlan, memory: GradientMemory, world: World, node: Communicator, nodes: NodePlan, clock: StepClock
  ) throws {
    let rank = world.communicator.rank
    let place = nodes.place(ofRank: rank)
    let isDriver = nodes.isDriver(rank: rank)
    self.plan = plan
    self.clock = clock
    ownedRanges =
      isDriver
      ? nodes.ownedRanges(parts: plan.parts, driver: place.index)
      : plan.parts.map { $0.lowerBound..<$0.lowerBound }
    let nodeSubtrees = nodes.subtrees(shards: plan.shards, shardCount: plan.shardCount)
    let rankSubtrees = plan.subtrees
    nodeSum = try NodeSum(
      NodeTerms(
        nodeSubtrees: nodeSubtrees[place.node], rankSubtrees: nodes.nodes[place.node].map { rankSubtrees[$0] }),
      count: memory.count
    ) { memory.gradient($1, ofRank: $0) }
    flags = try NodeFlags(rows: plan.embedding?.rows ?? 0, node: node)
    let peers = try world.communicator.split(color: isDriver ? place.index : nil, key: place.node)
    exchange = try peers.map { [nodeSum] peers in
      try GradientExchange(
        nodes.exchange(plan, driver: place.index, subtrees: nodeSubtrees), memory: nodeSum.sums, communicator: peers,
        world: world, clock: clock)
    }
    norm = GlobalNorm(
      plan, parts: GradientParts(parts: plan.parts, ranks: nodes.drivers), owners: nodes.normOwners(),
      communicator: world.communicator)
    machine = NodeStateMachine(plan, nodes: nodes, rank: rank)
    rows.reserveCapacity(plan.embedding?.mostRows ?? 0)
  }

  func submit(part: Int, rowsSeen: [Int32]) {
    machine.receive(.submitted(part: part, rows: rowsSeen)) { act($0) }
    start()
  }

  func poll() {
    if isNextFinished {
      clock.beginProgress()
      start()
      clock.endProgress()
    }
    exchange?.poll()
  }

  func finish(ownShardValues: UnsafeBufferPointer<Double>, stopFlag: Double) throws -> Double {
    clock.enter(.wait)
    while machine.awaitedParts != nil {
      exchange?.progress()
      sched_yield()
      start()
    }
    exchange?.finish()
    machine.endStep()
    plan.join(sum, changed: changedRanges)
    // Nobody comes out of this before all have read their neighbours' gradients.
    return try norm.agree(
      on: sum, changed: changedRanges, ownShardValues: ownShardValues, stopFlag: stopFlag, clock: clock)
  }

  private var isNextFinished: Bool { machine.awaitedParts.map(flags.allFinished) ?? false }

  /// Sums and sends the parts that all ranks of the node have finished.
  private func start() {
    while isNextFinished {
      rows.removeAll(keepingCapacity: true)
      if machine.awaitsRows { flags.appendRows(to: &rows) }
      machine.receive(.finishedByAll(rows: rows)) { act($0) }
    }
  }

  private func act(_ action: NodeStateMachine.Action) {
    switch action {
    case .publishRows(let rows): flags.publish(rows: rows)
    case .publishFinished(let parts): flags.publish(finished: parts)
    case .sum(let range): nodeSum.add(range)
    case .exchange(let part, let rows): exchange?.submit(part: part, rowsSeen: rows)
    }
  }
}
