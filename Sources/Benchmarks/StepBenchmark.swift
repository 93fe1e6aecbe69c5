import DataParallel
import Glibc
import JobHealth
import Kernels
import LSTM
import MPI
import Optimization
import Plan
import Problems
import Timing
import TrainingLoop

/// What a benchmark of the training step found: medians over its rounds, the same on every rank.
package struct StepBenchmark: Sendable {
  /// The sizes.
  package let shape: BenchmarkShape
  /// P.
  package let ranks: Int
  /// Seconds of a whole step.
  package let medianSeconds: Double
  /// Seconds of forward, backward, update and packing on the slowest rank, without the reduction.
  package let computeSeconds: Double
  /// Seconds of communication that computing did not hide, as the log of a run counts them.
  package let communicationSeconds: Double
  /// Seconds of waiting for the slowest rank, as the log counts them.
  package let waitingSeconds: Double
  /// What all cores of the ranks can do, measured in the same rounds.
  package let peakGflops: Double
  /// The largest memory that a rank has used, in bytes.
  package let peakMemoryBytes: Int
  /// The memory that all ranks use together at the end, in bytes; what they share is counted once, pages of files are
  /// not. 0 where the kernel does not say.
  package let allMemoryBytes: Int
  /// What the program expects a rank to need, by what it is for.
  package let memory: MemoryEstimate
  /// Bandwidths measured after the rounds, on all ranks at once.
  package let levels: MemoryLevels
  /// The least time of a step on the rank with the most lanes.
  package let roofline: Roofline

  /// 10⁹ floating-point operations a second, counted as `BenchmarkShape.flops` are.
  package var gflops: Double { shape.flops / medianSeconds / 1e9 }
  /// `gflops` against the peak.
  package var shareOfPeak: Double { gflops / peakGflops }
  /// The share of the peak, counted by the operations that really run.
  package var runShareOfPeak: Double { shape.flopsThatRun / medianSeconds / 1e9 / peakGflops }
  /// The share of the peak without the reduction.
  package var computeShareOfPeak: Double { shape.flops / computeSeconds / 1e9 / peakGflops }
  /// The share of the roofline that was reached: its time against the median.
  package var shareOfRoofline: Double { roofline.seconds / medianSeconds }
  /// Timesteps of all sequences a second.
  package var tokensPerSecond: Double { Double(shape.sequences * shape.timesteps) / medianSeconds }

  /// Runs the shape's step on random sequences. For a model it is the trainer's own: clip to norm 5, SGD, no dropout;
  /// hidden state carried by a language model, and zero before each sequence that gets one class.
  /// - Throws: where the ranks are more than the step can use, or memory is too small.
  package static func run(
    _ shape: BenchmarkShape, world: World, rounds: Int, reduction: ReductionMethod, accumulate: Int = 1
  ) throws -> StepBenchmark {
    let step = try preparedStep(shape, world: world, reduction: reduction, accumulate: accumulate)
    let communicator = world.communicator
    // For where the time goes; who is slow, and why, is not asked.
    let times = try RunTimes(world: world, sequences: Array(repeating: 0, count: communicator.size))
    var (seconds, compute, peak): ([Double], [Double], [Double]) = ([], [], [])
    var splits: [StepSplit] = []
    for round in 0..<rounds + 1 {
      let rate = try communicator.allReduce(measuredPeak() / 1e9, .sum)
      try communicator.barrier()
      let start = World.wallTimeSeconds()
      var own = try step.run(round)
      let elapsed = World.wallTimeSeconds() - start
      // What was done since the round before is no part of the step.
      own.seconds[.coordination] = 0
      let split = try times.add(own)?.split ?? StepSplit()
      // The first round touches all memory for the first time.
      guard round > 0 else { continue }
      peak.append(rate)
      seconds.append(try communicator.allReduce(elapsed, .maximum))
      compute.append(try communicator.allReduce(own.seconds.sum(Phase.computing), .maximum))
      splits.append(split)
    }
    // Rank 0 alone knows where the time of all went.
    let communication = try communicator.allReduce(median(splits.map(\.communication)), .maximum)
    let waiting = try communicator.allReduce(median(splits.map(\.waiting)), .maximum)
    // Before the buffers of the bandwidth are added to it.
    let peakMemoryBytes = try communicator.allReduce(ProcessMemory.peakBytes, .maximum)
    try communicator.barrier()
    let allMemoryBytes = try communicator.allReduce(ProcessMemory.proportionalBytes, .sum)
    let levels = try MemoryLevels.measure(world: world)
    let roof = Roof(flopsPerSecond: median(peak) * 1e9 / Double(communicator.size), memory: levels)
    return StepBenchmark(
      shape: shape, ranks: communicator.size, medianSeconds: median(seconds), computeSeconds: median(compute),
      communicationSeconds: communication, waitingSeconds: waiting, peakGflops: median(peak),
      peakMemoryBytes: peakMemoryBytes, allMemoryBytes: allMemoryBytes,
      memory: step.memory, levels: levels, roofline: Roofline(step.work, under: roof))
  }

  /// A step that is ready to run.
  private struct PreparedStep {
    let memory: MemoryEstimate
    let work: StepWork
    /// Runs a round, and returns what this rank measured.
    let run: (_ round: Int) throws -> StepTimes
  }

  private static func preparedStep(
    _ shape: BenchmarkShape, world: World, reduction: ReductionMethod, accumulate: Int
  ) throws -> PreparedStep {
    switch shape.work {
    case .training(let model):
      let training = try preparedTraining(
        shape, model, world: world, reduction: reduction, accumulate: accumulate)
      let (setup, plan) = (training.setup, training.replica.plan)
      let source = RandomSequences(globalBatch: shape.sequences, timesteps: shape.timesteps, shape: model)
      return PreparedStep(
        memory: Training.memoryEstimate(setup, plan: plan, sharing: training.sharing.ranks),
        work: StepWork(setup, plan: plan, sharing: training.sharing.ranks)
      ) { round in
        try training.step(round, source: source).times
      }
    case .layers(let stack):
      guard world.communicator.size == 1 else {
        throw Problem(
          .usage, "LSTM layers alone run on one rank — expected 1, got \(world.communicator.size) (\(shape.name))")
      }
      let layers = LayersStep(stack, timesteps: shape.timesteps, lanes: shape.sequences)
      let memory = LayersStep.memoryEstimate(stack, timesteps: shape.timesteps, lanes: shape.sequences)
      return PreparedStep(
        memory: memory,
        work: StepWork(stack, timesteps: shape.timesteps, lanes: shape.sequences, bytes: Double(memory.total))
      ) { _ in
        var seconds = PhaseSeconds()
        let start = World.wallTimeSeconds()
        layers.run()
        seconds[.backward] = World.wallTimeSeconds() - start
        return StepTimes(seconds: seconds, hiddenSeconds: 0)
      }
    }
  }

  /// A training of the shape's model with initial parameters: clip to norm 5, no dropout, eight shards, or one for each
  /// rank where there are more ranks, as far as there are sequences.
  static func preparedTraining(
    _ shape: BenchmarkShape, _ model: ModelShape, world: World, rule: OptimizerRule = .sgd(learningRate: 0.1),
    reduction: ReductionMethod = .reproducible, accumulate: Int = 1
  ) throws -> Training {
    let ranks = world.communicator.size
    let setup = TrainingSetup(
      shape: model, timesteps: shape.timesteps, globalBatch: shape.sequences,
      shards: min(max(8, ranks), shape.sequences),
      accumulate: accumulate, dropout: 0, seed: 1, rule: rule, clip: .norm(5), reduction: reduction)
    world.agree {
      guard ranks <= shape.sequences else {
        throw Problem(
          .usage,
          "more ranks than sequences — expected at most \(shape.sequences) ranks, got \(ranks) "
            + "(\(shape.name))")
      }
    }
    let training = try Training(world: world, setup: setup)
    try training.initialize(method: .uniform, forgetBias: 1)
    return training
  }
}

/// The middle one of some values, or the mean of the two in the middle.
package func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
