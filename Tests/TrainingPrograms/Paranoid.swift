import DataParallel
import LSTM
import MPI
import Optimization
import Runs
import Sequences
import TrainingLoop

/// `paranoid RUN FAULT RANK` trains 12 steps in RUN with a check every 4 steps; on rank RANK there is a FAULT:
///
///     none           no fault
///     parameter      a bit of a parameter is flipped during step 6
///     start          a bit of a parameter is flipped before the first step
///     configuration  the rank's configuration is another
///     data           the rank's data are others
func paranoid(_ world: World, _ arguments: [String]) throws {
  let (run, fault, rank) = (arguments[0], arguments[1], Int(arguments[2])!)
  let isFaulty = world.communicator.rank == rank
  // Every rank has parameters of its own, so that one rank's can differ.
  let setup = TrainingSetup(
    shape: ModelShape.languageModel(vocabulary: 11, embedding: 5, hidden: 17, layers: 2), timesteps: 6, globalBatch: 9,
    shards: 8, dropout: 0.25, seed: 1, rule: .adam(learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8),
    clip: .norm(1), reduction: .reproducible, sharedMemory: .off)
  let training = try Training(world: world, setup: setup)
  try training.initialize(method: .uniform, forgetBias: 1)
  func flipBit() {
    // In the first recurrent matrix.
    let place = UnsafeMutableRawPointer(training.replica.parameters + 700)
    place.storeBytes(of: place.load(as: UInt32.self) ^ 1, as: UInt32.self)
  }
  if fault == "start" && isFaulty { flipBit() }
  let tokens = (0..<2000).map { Int32($0 * 7 % 11) }
  let source = FaultySource(
    source: try TokenStream(
      tokens: tokens, globalBatch: setup.globalBatch, timesteps: setup.timesteps, resetProbability: 0.1, seed: 1,
      name: "test"), faultyStep: 6, inject: { if fault == "parameter" && isFaulty { flipBit() } }, heal: {})
  let directory = RunDirectory(path: run)
  world.agree { if world.communicator.rank == 0 { try directory.create(configuration: "") } }
  let trainer = try Trainer(
    world: world, training: training, source: source, validation: nil,
    policy: Coordinator.Policy(totalSteps: 12, evaluateEvery: 0, checkpointEvery: 0),
    verification: VerificationPolicy(every: 4, paranoid: true), directory: directory,
    configuration: fault == "configuration" && isFaulty ? "another" : "",
    identity: DataIdentity(vocabulary: [], tokens: [fault == "data" && isFaulty ? [] : tokens])
  ) { report in
    if case .finished(_, _, _, let sha256) = report { print("finished \(sha256)") }
  }
  _ = try trainer.run(.anew)
}
