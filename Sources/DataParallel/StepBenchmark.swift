import Glibc
import Kernels
import LSTM
import MPI
import Optimization
import Randomness
import Sequences

/// The sizes of a benchmark of the training step.
public struct BenchmarkShape: Sendable {
  /// For example `char-512`.
  public let name: String
  /// Sizes of the model; the embedding is as large as the hidden state.
  public let model: LanguageModelShape
  /// B, sequences of all ranks together.
  public let sequences: Int
  /// T.
  public let timesteps: Int

  /// A shape of any sizes.
  public init(name: String, vocabulary: Int, layers: Int, hidden: Int, sequences: Int, timesteps: Int) {
    self.name = name
    self.sequences = sequences
    self.timesteps = timesteps
    model = LanguageModelShape(vocabulary: vocabulary, embedding: hidden, hidden: hidden, layers: layers)
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
  /// What the program expects a rank to need, by what it is for.
  public let memory: MemoryEstimate
  /// Bandwidths measured after the rounds, on all ranks at once.
  public let levels: MemoryLevels
  /// The least time of a step on the rank with the most lanes.
  public let roofline: Roofline

  /// 10⁹ floating-point operations a second, counted as `LanguageModelShape.flopsPerStep` does.
  public var gflops: Double { flops / medianSeconds / 1e9 }
  /// `gflops` against the peak.
  public var shareOfPeak: Double { gflops / peakGflops }
  /// The share of the peak without the reduction.
  public var computeShareOfPeak: Double { flops / computeSeconds / 1e9 / peakGflops }
  /// The share of the roofline that was reached: its time against the median.
  public var shareOfRoofline: Double { roofline.seconds / medianSeconds }
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
    let (plan, training) = world.agree {
      let plan = try ShardPlan(
        globalBatch: setup.globalBatch, shards: setup.shards, ranks: world.communicator.size)
      try Training.checkMemory(setup, plan: plan, localRanks: localRanks)
      return (plan, try Training(world: world, setup: setup))
    }
    training.initialize(method: .uniform, forgetBias: 1)
    let source = RandomTokens(
      globalBatch: shape.sequences, timesteps: shape.timesteps, vocabulary: shape.model.vocabulary)
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
    // Before the buffers of the bandwidth are added to it.
    let peakMemoryBytes = try communicator.allReduce(usedMemoryBytes(), .maximum)
    let levels = try MemoryLevels.measure(world: world)
    let roof = Roof(flopsPerSecond: median(peak) * 1e9 / Double(communicator.size), memory: levels)
    return StepBenchmark(
      shape: shape, ranks: communicator.size, medianSeconds: median(seconds), computeSeconds: median(compute),
      peakGflops: median(peak), peakMemoryBytes: peakMemoryBytes,
      memory: Training.memoryEstimate(setup, plan: plan), levels: levels,
      roofline: Roofline(StepWork(setup, plan: plan), under: roof))
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

/// Tokens without any structure, for measuring time.
struct RandomTokens: SequenceSource {
  let globalBatch: Int
  let timesteps: Int
  let vocabulary: Int
  let stepsPerEpoch = 1 << 30

  func startsFresh(atStep step: Int, lane: Int) -> Bool { step == 0 }

  func targetCount(atStep step: Int) -> Int { globalBatch * timesteps }

  func fill(
    step: Int, lanes: Range<Int>, tokens: UnsafeMutableBufferPointer<Int32>,
    targets: UnsafeMutableBufferPointer<Int32>
  ) {
    let stream = Philox(seed: 1, purpose: .dataGeneration, step: step)
    for t in 0..<timesteps {
      for (index, lane) in lanes.enumerated() {
        let words = stream.words(block: 0, t: t, lane: lane)
        tokens[t * lanes.count + index] = Int32(words[0] % UInt32(vocabulary))
        targets[t * lanes.count + index] = Int32(words[1] % UInt32(vocabulary))
      }
    }
  }
}
