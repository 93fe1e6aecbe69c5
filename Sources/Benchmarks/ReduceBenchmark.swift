import MPI
import Plan
import Reduction
import Timing

/// The time of adding a gradient of some size over all ranks and handing the result back.
package struct ReduceBenchmark: Sendable {
  /// Numbers of the gradient.
  package let count: Int
  /// P.
  package let ranks: Int
  /// Median seconds, slowest rank, of the reproducible reduction by messages.
  package let reproducibleSeconds: Double
  /// The same over shared memory, where each rank sums its slice; nil where the ranks do not share any.
  package let sharedSeconds: Double?
  /// Median seconds, slowest rank, of `MPI_Allreduce`.
  package let mpiSeconds: Double

  /// Measures all ways in turn, with S = 8 shards (or P, where there are more ranks).
  package static func run(count: Int, world: World, rounds: Int) throws -> ReduceBenchmark {
    let communicator = world.communicator
    let size = communicator.size
    let plan = try ShardPlan(globalBatch: max(8, size), shards: max(8, size), ranks: size)
    let node = try communicator.splitBySharedMemory(key: communicator.rank)
    let shares = try size > 1 && communicator.allReduce(node.size, .minimum) == size
    var candidates = try [ReductionMethod.reproducible, .mpi].map {
      try Candidate(world: world, plan: plan, count: count, reduction: $0, sharing: .none)
    }
    if shares {
      let sharing = try NodeSharing(node: node, world: world)
      candidates.append(
        try Candidate(world: world, plan: plan, count: count, reduction: .reproducible, sharing: sharing))
    }
    var seconds = candidates.map { _ in [Double]() }
    for round in 0...rounds {
      for (way, candidate) in candidates.enumerated() {
        try communicator.barrier()
        let own = try candidate.seconds()
        let slowest = try communicator.allReduce(own, .maximum)
        // The first round touches all memory for the first time.
        if round > 0 { seconds[way].append(slowest) }
      }
    }
    let medians = seconds.map(median)
    return ReduceBenchmark(
      count: count, ranks: size, reproducibleSeconds: medians[0], sharedSeconds: shares ? medians[2] : nil,
      mpiSeconds: medians[1])
  }

  private struct Candidate {
    let reducer: any Reducer
    let memory: GradientMemory
    let shards: [Double]

    init(world: World, plan: ShardPlan, count: Int, reduction: ReductionMethod, sharing: NodeSharing) throws {
      let own = plan.shards(ofRank: world.communicator.rank)
      memory = try GradientMemory(
        count: count, subtrees: SummationTree.subtrees(of: own, leafCount: plan.shards).count, node: sharing.node)
      reducer = try makeReducer(
        ReductionPlan(
          parts: [0..<count], embedding: nil, sendsRows: false, sharedPart: nil, shardCount: plan.shards,
          shards: (0..<plan.ranks).map(plan.shards(ofRank:))),
        reduction: reduction, memory: memory, sharing: sharing, world: world,
        clock: StepClock(parts: 1, tracedEvents: 0))
      shards = Array(repeating: 0, count: own.count)
    }

    func seconds() throws -> Double {
      let start = World.wallTimeSeconds()
      reducer.submit(part: 0, rowsSeen: [])
      _ = try shards.withUnsafeBufferPointer { try reducer.finish(ownShardValues: $0, stopFlag: 0) }
      return World.wallTimeSeconds() - start
    }
  }
}
