import DataParallel
import LSTM
import MPI
import Optimization
import Runs
import Sequences
import TrainingLoop

/// Where the fault is, and what the training makes of it.
private struct Trial {
  let run: String
  let policy: NonFinitePolicy
  let fault: String
  let step: Int
  let rank: Int
  let layer: Int
  let lane: Int
  let timestep: Int

  init(_ arguments: [String]) {
    (run, fault) = (arguments[0], arguments[2])
    policy =
      switch arguments[1] {
      case "stop": .stop
      case "skip": .skip(inARow: 2)
      default: .rollBack(times: 2, learningRateFactor: Double(arguments[1])!)
      }
    let numbers = arguments.dropFirst(3).map { Int($0)! }
    (step, rank, layer, lane, timestep) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
  }

  var readsNumbers: Bool { fault == "number" || fault == "healthy" }

  var shape: ModelShape {
    readsNumbers
      ? ModelShape(input: .numbers(3), hidden: 17, layers: 3, head: .everyStep(classes: 4))
      : ModelShape.languageModel(vocabulary: 11, embedding: 5, hidden: 17, layers: 3)
  }
}

/// Tokens, with a fault as one step begins; any other step finds what it was before.
struct FaultySource: SequenceSource {
  let source: TokenStream
  let faultyStep: Int
  /// One thread alone calls them.
  nonisolated(unsafe) let inject: () -> Void
  nonisolated(unsafe) let heal: () -> Void

  var globalBatch: Int { source.globalBatch }
  var timesteps: Int { source.timesteps }
  var stepsPerEpoch: Int { source.stepsPerEpoch }

  func startsFresh(atStep step: Int, lane: Int) -> Bool { source.startsFresh(atStep: step, lane: lane) }
  func targetCount(atStep step: Int) -> Int { source.targetCount(atStep: step) }

  func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    source.fill(step: step, lanes: lanes, batch: batch)
    if step + 1 == faultyStep { inject() } else { heal() }
  }
}

/// Numbers, of which one may be NaN.
private struct FaultyNumbers: SequenceSource {
  let trial: Trial
  let globalBatch = 9
  let timesteps = 6
  let stepsPerEpoch = 100

  func startsFresh(atStep step: Int, lane: Int) -> Bool { step % 3 == 0 }
  func targetCount(atStep step: Int) -> Int { 9 * 6 }

  func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    for (index, lane) in lanes.enumerated() {
      batch.lengths[index] = 6
      for t in 0..<timesteps {
        let word = (step * 31 + lane * 7 + t * 3) % 11
        let row = t * lanes.count + index
        batch.targets[row] = Int32(word % 4)
        for i in 0..<3 { batch.numbers[row * 3 + i] = Float(word - 5 + i) / 5 }
        if trial.fault == "number", (step + 1, lane, t) == (trial.step, trial.lane, trial.timestep) {
          batch.numbers[row * 3 + 1] = .nan
        }
      }
    }
  }
}

private func train(_ world: World, _ trial: Trial) throws -> Int32 {
  let shape = trial.shape
  let isFaulty = trial.fault == "parameter" && world.communicator.rank == trial.rank
  // Every rank has parameters of its own, so that one rank's can differ.
  let setup = TrainingSetup(
    shape: shape, timesteps: 6, globalBatch: 9, shards: 8, dropout: 0.25, seed: 1,
    rule: .adam(learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8), clip: .norm(1), reduction: .reproducible,
    sharedMemory: .off)
  let training = try Training(world: world, setup: setup)
  try training.initialize(method: .uniform, forgetBias: 1)
  // The first recurrent weight of the layer.
  let layer = shape.layerRange(trial.layer).lowerBound + shape.lstm[trial.layer].inputs * 4 * 17
  let weight = training.replica.parameters + layer
  var (healthy, hasHappened) = (Float.nan, false)
  func write(_ value: Float) {
    weight.pointee = value
    // Ranks that share nothing do not wait for each other here.
    try! training.replica.parametersChanged()
  }
  let tokens = (0..<2000).map { Int32($0 * 7 % 11) }
  let stream = FaultySource(
    source: try TokenStream(
      tokens: tokens, globalBatch: setup.globalBatch, timesteps: setup.timesteps, resetProbability: 0.1, seed: 1,
      name: "test"), faultyStep: trial.step,
    inject: {
      guard isFaulty && !hasHappened else { return }
      (healthy, hasHappened) = (weight.pointee, true)
      write(.nan)
    }, heal: { if hasHappened && weight.pointee.isNaN { write(healthy) } })
  let directory = RunDirectory(path: trial.run)
  world.agree { if world.communicator.rank == 0 { try directory.create(configuration: "") } }
  let trainer = try Trainer(
    world: world, training: training, source: trial.readsNumbers ? FaultyNumbers(trial: trial) : stream,
    validation: nil,
    policy: Coordinator.Policy(
      totalSteps: 12, evaluateEvery: 0, checkpointEvery: 4, nonFinite: trial.policy),
    directory: directory, configuration: "", identity: DataIdentity(vocabulary: [], tokens: [tokens]), dumps: 1
  ) { report in
    switch report {
    case .nonFinite(let finding, let ranks, let dump):
      print("\(finding)\n\(finding.blame(ranks: ranks))")
      if let path = dump.path { print("dump \(path)") }
    case .rolledBack(let step, _): print("back after step \(step)")
    case .finished(_, _, _, let sha256): print("finished \(sha256)")
    default: break
    }
  }
  return try trainer.run(.anew)
}

/// `nonfinite RUN POLICY FAULT STEP RANK LAYER LANE TIMESTEP` trains 12 steps in RUN, with a checkpoint every 4; POLICY is
/// stop, skip, or the factor of a rollback, and FAULT is
///
///     none       no fault
///     parameter  a NaN in the recurrent weights of layer LAYER, in the memory of rank RANK, once: as step STEP begins
///     number     a NaN among what lane LANE reads at timestep TIMESTEP of step STEP, each time; the model reads numbers
///     healthy    the same numbers without the NaN
func nonFinite(_ world: World, _ arguments: [String]) throws {
  let code = try train(world, Trial(arguments))
  if world.communicator.rank == 0 { print("code \(code)") }
}

/// `replay DUMP` repeats the step of a dump, and says whether it finds the same.
func replay(_ world: World, _ arguments: [String]) throws {
  let dump = world.agree { try StepDump(arguments[0]) }
  let finding = try dump.replay(on: world)
  if world.communicator.rank == 0 {
    print(finding.map { "\(dump.isSame($0) ? "same" : "other")\n\($0)" } ?? "finite")
  }
}
