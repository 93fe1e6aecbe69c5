import Checkpoints
import DataParallel
import LSTM
import MPI
import Optimization
import Sequences

// nonfinite-program train RUN POLICY FAULT RANK LAYER
//   trains 12 steps in RUN, with a checkpoint every 4; at step 7 there is a FAULT, once
//
//   none        no fault
//   parameter   a NaN in the recurrent weights of layer LAYER, in the memory of rank RANK
//   everywhere  the same, in the memory of all ranks
//   number      a NaN among what lane 5 reads at timestep 2; the model reads numbers
//
// nonfinite-program replay DUMP

/// Tokens, with a fault as step 7 begins; any other step finds what it was before.
struct FaultySource: SequenceSource {
  let source: TokenStream
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
    if step == 6 { inject() } else { heal() }
  }
}

/// Numbers of which one is NaN in step 7.
struct FaultyNumbers: SequenceSource {
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
        if step == 6 && lane == 5 && t == 2 { batch.numbers[row * 3 + 1] = .nan }
      }
    }
  }
}

func policy(_ name: String) -> NonFinitePolicy {
  switch name {
  case "skip": .skip(inARow: 2)
  case "rollback": .rollBack(times: 2, learningRateFactor: 1)
  default: .stop
  }
}

func train(_ world: World, _ arguments: [String]) throws -> Int32 {
  let (fault, rank, layer) = (arguments[2], Int(arguments[3])!, Int(arguments[4])!)
  let isFaulty = fault == "everywhere" || fault == "parameter" && world.communicator.rank == rank
  let shape =
    fault == "number"
    ? ModelShape(input: .numbers(3), hidden: 17, layers: 2, head: .everyStep(classes: 4))
    : ModelShape.languageModel(vocabulary: 11, embedding: 5, hidden: 17, layers: 2)
  // Every rank has parameters of its own, so that one rank's can differ.
  let setup = TrainingSetup(
    shape: shape, timesteps: 6, globalBatch: 9, shards: 8, dropout: 0.25, seed: 1,
    rule: .adam(learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8), clip: 1, reduction: .reproducible,
    sharedMemory: .off)
  let training = try Training(world: world, setup: setup)
  try training.initialize(method: .uniform, forgetBias: 1)
  // The first recurrent weight of the layer.
  let weight = training.sharded.parameters + (shape.layerRange(layer).lowerBound + shape.lstm[layer].inputs * 4 * 17)
  var (healthy, hasHappened) = (Float.nan, false)
  func write(_ value: Float) {
    weight.pointee = value
    // Ranks that share nothing do not wait for each other here.
    try! training.sharded.parametersChanged()
  }
  let tokens = (0..<2000).map { Int32($0 * 7 % 11) }
  let stream = FaultySource(
    source: try TokenStream(
      tokens: tokens, globalBatch: setup.globalBatch, timesteps: setup.timesteps, resetProbability: 0.1, seed: 1,
      name: "test"),
    inject: {
      guard isFaulty && !hasHappened else { return }
      (healthy, hasHappened) = (weight.pointee, true)
      write(.nan)
    }, heal: { if hasHappened && weight.pointee.isNaN { write(healthy) } })
  let directory = RunDirectory(path: arguments[0])
  world.agree { if world.communicator.rank == 0 { try directory.create(configuration: "") } }
  let trainer = try Trainer(
    world: world, training: training, source: fault == "number" ? FaultyNumbers() : stream, validation: nil,
    policy: Coordinator.Policy(
      totalSteps: 12, evaluateEvery: 0, checkpointEvery: 4, nonFinite: policy(arguments[1])),
    directory: directory, configuration: "", identity: DataIdentity(vocabulary: [], tokens: [tokens]), dumps: 1
  ) { report in
    switch report {
    case .nonFinite(let finding, let ranks, let dump):
      print("\(finding)\n\(finding.blame(ranks: ranks))")
      if case .success(let path?) = dump { print("dump \(path)") }
    case .rolledBack(let step, _): print("back after step \(step)")
    case .finished(_, _, _, let sha256): print("finished \(sha256)")
    default: break
    }
  }
  return try trainer.run(resumes: false, from: nil, finishRecorded: false)
}

let arguments = CommandLine.arguments
let code: Int32 = World.run { world in
  if arguments[1] == "train" {
    let code = try train(world, Array(arguments.dropFirst(2)))
    if world.communicator.rank == 0 { print("code \(code)") }
    return 0
  }
  let dump = world.agree { try StepDump(arguments[2]) }
  let finding = try dump.replay(on: world)
  if world.communicator.rank == 0 {
    print(finding.map { "\(dump.isSame($0) ? "same" : "other")\n\($0)" } ?? "finite")
  }
  return 0
}
