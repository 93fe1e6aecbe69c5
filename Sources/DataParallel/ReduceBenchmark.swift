import Kernels
import MPI
import Sequences
import Timing

/// The time of adding a gradient of some size over all ranks and handing the result back, both ways.
public struct ReduceBenchmark: Sendable {
  /// Numbers of the gradient.
  public let count: Int
  /// P.
  public let ranks: Int
  /// Median seconds, slowest rank, of the reproducible reduction and the gathering of the owned slices.
  public let reproducibleSeconds: Double
  /// Median seconds, slowest rank, of `MPI_Allreduce`.
  public let mpiSeconds: Double

  /// Measures both ways in turn, with S = 8 shards (or P, where there are more ranks).
  public static func run(count: Int, world: World, rounds: Int) throws -> ReduceBenchmark {
    let size = world.communicator.size
    let plan = try ShardPlan(globalBatch: max(8, size), shards: max(8, size), ranks: size)
    let ways: [Reduction] = [.reproducible, .mpi]
    let candidates = ways.map { Candidate(world: world, plan: plan, count: count, reduction: $0) }
    var seconds: [[Double]] = [[], []]
    for round in 0...rounds {
      for (way, candidate) in candidates.enumerated() {
        try world.communicator.barrier()
        let own = try candidate.seconds()
        let slowest = try world.communicator.allReduce(own, .maximum)
        // The first round touches all memory for the first time.
        if round > 0 { seconds[way].append(slowest) }
      }
    }
    return ReduceBenchmark(
      count: count, ranks: size, reproducibleSeconds: seconds[0].sorted()[rounds / 2],
      mpiSeconds: seconds[1].sorted()[rounds / 2])
  }

  private struct Candidate {
    let reducer: Reducer
    let memory: GradientMemory
    let shards: [Double]

    init(world: World, plan: ShardPlan, count: Int, reduction: Reduction) {
      let own = plan.shards(ofRank: world.communicator.rank)
      memory = GradientMemory(
        count: count, subtrees: SummationTree.subtrees(of: own, leafCount: plan.shards).count)
      reducer = Reducer(
        world: world, reduction: reduction, shardCount: plan.shards, shardsOfRank: plan.shards(ofRank:),
        parts: [0..<count], memory: memory,
        clock: StepClock(parts: 1, tracedEvents: 0))
      shards = Array(repeating: 0, count: own.count)
    }

    func seconds() throws -> Double {
      let start = World.wallTimeSeconds()
      reducer.submit(part: 0)
      _ = try shards.withUnsafeBufferPointer { try reducer.finish(ownShardValues: $0) }
      try reducer.gatherOwned(memory.gradient(0))
      return World.wallTimeSeconds() - start
    }
  }
}
