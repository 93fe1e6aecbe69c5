import Glibc
import Kernels
import LSTM
import MPI
import Optimization
import Sequences

/// The sizes of a benchmark of the training step.
public struct BenchmarkShape: Sendable {
  /// For example `char-512`.
  public let name: String
  /// Sizes of the model; the embedding is as large as the hidden state.
  public let model: ModelShape
  /// B, sequences of all ranks together.
  public let sequences: Int
  /// T.
  public let timesteps: Int

  /// A shape of any sizes.
  public init(name: String, vocabulary: Int, layers: Int, hidden: Int, sequences: Int, timesteps: Int) {
    self.name = name
    self.sequences = sequences
    self.timesteps = timesteps
    model = .languageModel(vocabulary: vocabulary, embedding: hidden, hidden: hidden, layers: layers)
  }

  /// The named shapes: character models, and word models of the sizes of Zaremba et al. (2014).
  public static let named: [BenchmarkShape] = [
    BenchmarkShape(name: "char-128", vocabulary: 65, layers: 2, hidden: 128, sequences: 50, timesteps: 50),
    BenchmarkShape(name: "char-512", vocabulary: 65, layers: 2, hidden: 512, sequences: 64, timesteps: 128),
    BenchmarkShape(name: "char-512-10", vocabulary: 65, layers: 2, hidden: 512, sequences: 10, timesteps: 128),
    BenchmarkShape(name: "ptb-medium", vocabulary: 10_000, layers: 2, hidden: 650, sequences: 20, timesteps: 35),
    BenchmarkShape(name: "ptb-medium-10", vocabulary: 10_000, layers: 2, hidden: 650, sequences: 10, timesteps: 35),
    BenchmarkShape(name: "ptb-large", vocabulary: 10_000, layers: 2, hidden: 1500, sequences: 20, timesteps: 35),
    BenchmarkShape(name: "words-256", vocabulary: 10_000, layers: 1, hidden: 256, sequences: 64, timesteps: 50),
  ]
}

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

  /// 10⁹ floating-point operations a second, counted as `ModelShape.flopsPerStep` does.
  public var gflops: Double { flops / medianSeconds / 1e9 }
  /// `gflops` against the peak.
  public var shareOfPeak: Double { gflops / peakGflops }
  /// The share of the peak without the reduction.
  public var computeShareOfPeak: Double { flops / computeSeconds / 1e9 / peakGflops }
  /// Targets a second.
  public var tokensPerSecond: Double { Double(shape.sequences * shape.timesteps) / medianSeconds }

  private var flops: Double { shape.model.flopsPerStep(timesteps: shape.timesteps, lanes: shape.sequences) }

  /// Runs the trainer's own step on random tokens: clip to norm 5, SGD, hidden state carried, no dropout.
  public static func run(
    _ shape: BenchmarkShape, world: World, rounds: Int, reduction: Reduction
  ) throws -> StepBenchmark {
    let setup = TrainingSetup(
      shape: shape.model, timesteps: shape.timesteps, globalBatch: shape.sequences, shards: min(8, shape.sequences),
      dropout: 0, seed: 1, rule: .sgd(learningRate: 0.1), clip: 5, reduction: reduction)
    let localRanks = try world.communicator.splitBySharedMemory(key: world.communicator.rank).size
    let training = world.agree {
      let plan = try ShardPlan(
        globalBatch: setup.globalBatch, shards: setup.shards, ranks: world.communicator.size)
      try Training.checkMemory(setup, plan: plan, localRanks: localRanks)
      return try Training(world: world, setup: setup)
    }
    training.initialize(method: .uniform, forgetBias: 1)
    let source = RandomSequences(globalBatch: shape.sequences, timesteps: shape.timesteps, shape: shape.model)
    let communicator = world.communicator
    var (seconds, compute, peak): ([Double], [Double], [Double]) = ([], [], [])
    for round in 0..<rounds + 1 {
      let rate = try communicator.allReduce(measuredPeak() / 1e9, .sum)
      try communicator.barrier()
      let start = World.wallTimeSeconds()
      let result = try training.step(round, source: source)
      let elapsed = World.wallTimeSeconds() - start
      let own = result.computeSeconds + result.updateSeconds
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
