import Glibc
import Kernels
import LSTM
import MPI
import Optimization
import Sequences
import Timing

/// What a benchmark of the training step found: medians over its rounds, the same on every rank.
public struct StepBenchmark: Sendable {
  /// The sizes.
  public let shape: BenchmarkShape
  /// P.
  public let ranks: Int
  /// Seconds of a whole step.
  public let medianSeconds: Double
  /// Seconds of forward, backward, update and packing on the slowest rank, without the reduction.
  public let computeSeconds: Double
  /// What all cores of the ranks can do, measured in the same rounds.
  public let peakGflops: Double
  /// The largest memory that a rank has used, in bytes.
  public let peakMemoryBytes: Int

  /// 10⁹ floating-point operations a second, counted as `BenchmarkShape.flops` are.
  public var gflops: Double { shape.flops / medianSeconds / 1e9 }
  /// `gflops` against the peak.
  public var shareOfPeak: Double { gflops / peakGflops }
  /// The share of the peak, counted by the operations that really run.
  public var runShareOfPeak: Double { shape.flopsThatRun / medianSeconds / 1e9 / peakGflops }
  /// The share of the peak without the reduction.
  public var computeShareOfPeak: Double { shape.flops / computeSeconds / 1e9 / peakGflops }
  /// Timesteps of all sequences a second.
  public var tokensPerSecond: Double { Double(shape.sequences * shape.timesteps) / medianSeconds }

  /// Runs the shape's step on random sequences. For a model it is the trainer's own: clip to norm 5, SGD, no dropout;
  /// hidden state carried by a language model, and zero before each sequence that gets one class.
  /// - Throws: where the ranks are more than the step can use, or memory is too small.
  public static func run(
    _ shape: BenchmarkShape, world: World, rounds: Int, reduction: Reduction
  ) throws -> StepBenchmark {
    let step = try preparedStep(shape, world: world, reduction: reduction)
    let communicator = world.communicator
    var (seconds, compute, peak): ([Double], [Double], [Double]) = ([], [], [])
    for round in 0..<rounds + 1 {
      let rate = try communicator.allReduce(measuredPeak() / 1e9, .sum)
      try communicator.barrier()
      let start = World.wallTimeSeconds()
      let own = try step(round)
      let elapsed = World.wallTimeSeconds() - start
      // The first round touches all memory for the first time.
      guard round > 0 else { continue }
      peak.append(rate)
      seconds.append(try communicator.allReduce(elapsed, .maximum))
      compute.append(try communicator.allReduce(own, .maximum))
    }
    return StepBenchmark(
      shape: shape, ranks: communicator.size, medianSeconds: median(seconds), computeSeconds: median(compute),
      peakGflops: median(peak), peakMemoryBytes: try communicator.allReduce(usedMemoryBytes(), .maximum))
  }

  /// What a round runs; it returns the seconds of this rank without the reduction.
  private static func preparedStep(
    _ shape: BenchmarkShape, world: World, reduction: Reduction
  ) throws -> (_ round: Int) throws -> Double {
    switch shape.work {
    case .training(let model):
      let training = try preparedTraining(shape, model, world: world, reduction: reduction)
      let source = RandomSequences(globalBatch: shape.sequences, timesteps: shape.timesteps, shape: model)
      return { round in
        try training.step(round, source: source).times.seconds.sum(Phase.computing)
      }
    case .layers(let stack):
      guard world.communicator.size == 1 else {
        throw Failure(
          message:
            "error: LSTM layers alone run on one rank — expected 1, got \(world.communicator.size) (\(shape.name))",
          exitCode: 64)
      }
      let layers = LayersStep(stack, timesteps: shape.timesteps, lanes: shape.sequences)
      return { _ in
        let start = World.wallTimeSeconds()
        layers.run()
        return World.wallTimeSeconds() - start
      }
    }
  }

  private static func preparedTraining(
    _ shape: BenchmarkShape, _ model: ModelShape, world: World, reduction: Reduction
  ) throws -> Training {
    let setup = TrainingSetup(
      shape: model, timesteps: shape.timesteps, globalBatch: shape.sequences, shards: min(8, shape.sequences),
      dropout: 0, seed: 1, rule: .sgd(learningRate: 0.1), clip: 5, reduction: reduction)
    let localRanks = try world.communicator.splitBySharedMemory(key: world.communicator.rank).size
    world.agree {
      let plan = try ShardPlan(
        globalBatch: setup.globalBatch, shards: setup.shards, ranks: world.communicator.size)
      try Training.checkMemory(setup, plan: plan, localRanks: localRanks)
    }
    let training = try Training(world: world, setup: setup)
    try training.initialize(method: .uniform, forgetBias: 1)
    return training
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.count % 2 == 1
      ? sorted[sorted.count / 2] : (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
  }

  private static func usedMemoryBytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    // In kilobytes on Linux.
    return usage.ru_maxrss * 1024
  }
}
