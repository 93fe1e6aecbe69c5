import DataParallel
import Files
import Glibc
import LSTM
import MPI
import Optimization
import Problems
import Runs
import TrainingLoop

/// What checkpoints cost a training: stretches of it with one checkpoint in the middle of each, and without, in turn.
/// On rank 0.
package struct CheckpointBenchmark: Sendable {
  /// The steps of all stretches of a kind, in seconds.
  package struct Steps: Sendable {
    /// Each step, from the end of the previous step.
    package fileprivate(set) var seconds: [Double] = []
    /// Steps a second.
    package var rate: Double { Double(seconds.count) / seconds.reduce(0, +) }
    /// The median step.
    package var medianSeconds: Double { median(seconds) }
    /// The longest step.
    package var longestSeconds: Double { seconds.max() ?? 0 }
  }

  /// P.
  package let ranks: Int
  /// Bytes of a checkpoint.
  package let checkpointBytes: Int
  /// Steps of the stretches without a checkpoint, but for the one after the last step, which is not in it.
  package private(set) var without = Steps()
  /// Those with one.
  package private(set) var with = Steps()
  /// Those of them that passed while it was copied and written.
  package private(set) var during = Steps()
  /// The others of them.
  package private(set) var beside = Steps()
  /// For how long each copy has stopped the training, as the log has it.
  package private(set) var copySeconds: [Double] = []

  /// What checkpoints take of the time: the slower rate against the faster one.
  package var overhead: Double { 1 - with.rate / without.rate }
  /// The same without what else differs between two stretches: the share of the time by which the steps during a
  /// checkpoint were longer than those beside them.
  package var excess: Double {
    let excess = during.seconds.reduce(0, +) - Double(during.seconds.count) / beside.rate
    return excess / with.seconds.reduce(0, +)
  }
  /// The longest copy and a median step, against a median step.
  package var stepWithCopy: Double { 1 + (copySeconds.max() ?? 0) / beside.medianSeconds }

  /// Trains the shape's model with Adam, in a new directory for each stretch, which is removed.
  /// - Parameters:
  ///   - seconds: the length of a stretch.
  ///   - rounds: how many stretches of each kind.
  ///   - folder: where the directories are made.
  /// - Throws: where the ranks are more than the step can use, memory is too small, or no checkpoint can be written.
  package static func run(
    _ shape: BenchmarkShape, model: ModelShape, world: World, seconds: Double, rounds: Int, folder: String
  ) throws -> CheckpointBenchmark {
    let rule = OptimizerRule.adam(learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
    let training = try StepBenchmark.preparedTraining(shape, model, world: world, rule: rule)
    let source = RandomSequences(globalBatch: shape.sequences, timesteps: shape.timesteps, shape: model)
    // The first step touches all memory for the first time.
    _ = try training.step(0, source: source)
    let start = World.wallTimeSeconds()
    for step in 1...3 { _ = try training.step(step, source: source) }
    let stepSeconds = try world.communicator.allReduce((World.wallTimeSeconds() - start) / 3, .maximum)
    let steps = max(4, Int(seconds / stepSeconds))
    var result = CheckpointBenchmark(
      ranks: world.communicator.size, checkpointBytes: Training.checkpointBytes(training.setup))
    for round in 0..<rounds {
      for saves in round % 2 == 0 ? [false, true] : [true, false] {
        try result.train(training, source, steps: steps, saves: saves, folder: folder)
      }
    }
    return result
  }

  private init(ranks: Int, checkpointBytes: Int) { (self.ranks, self.checkpointBytes) = (ranks, checkpointBytes) }

  private mutating func train(
    _ training: Training, _ source: RandomSequences, steps: Int, saves: Bool, folder: String
  ) throws {
    let world = training.world
    let isRoot = world.communicator.rank == 0
    let directory = RunDirectory(path: "\(folder)/bench-checkpoint-\(getpid())")
    world.agree { if isRoot { try directory.create(configuration: "") } }
    defer { if isRoot { try? removeTree(directory.path) } }
    let middle = (steps + 1) / 2
    var taken: (all: [Double], during: [Double], beside: [Double]) = ([], [], [])
    var copies: [Double] = []
    var (isWriting, failure): (Bool, Problem?) = (false, nil)
    let trainer = try Trainer(
      world: world, training: training, source: source, validation: nil,
      policy: Coordinator.Policy(
        totalSteps: steps, evaluateEvery: 0, checkpointEvery: saves ? middle : 0, nonFinite: .stop),
      directory: directory, configuration: "", identity: DataIdentity(vocabulary: [], tokens: [])
    ) { report in
      switch report {
      case .step(let step, _, _, let split, _, _):
        taken.all.append(split.total)
        if isWriting { taken.during.append(split.total) } else { taken.beside.append(split.total) }
        if split.checkpoint > 0 { copies.append(split.checkpoint) }
        if saves, step == middle { isWriting = true }
      case .saved: isWriting = false
      case .coordinator(.checkpointFailed(_, let error, _, _)): failure = error
      default: break
      }
    }
    let code = try trainer.run(.anew)
    if let failure { throw failure }
    if code != 0 {
      throw Problem(
        ExitCode(rawValue: code) ?? .internalError, "the training did not finish — expected exit code 0, got \(code)")
    }
    if saves {
      with.seconds += taken.all
      during.seconds += taken.during
      beside.seconds += taken.beside
      copySeconds += copies
    } else {
      without.seconds += taken.all
    }
  }
}
