import CAllocations
import DataParallel
import ExactMath
import LSTM
import MPI
import Optimization
import Runs
import Sequences
import TrainingLoop

/// Sequences of 1 to T timesteps, in each of which the class is the sign of the first number, and every number behind the
/// end is NaN. An epoch has 20 of them, so that one lane of its last step is empty.
private struct FirstSigns: SequenceSource {
  let globalBatch = 7
  let timesteps = 6
  let stepsPerEpoch = 3

  func startsFresh(atStep step: Int, lane: Int) -> Bool { true }
  func targetCount(atStep step: Int) -> Int { step % stepsPerEpoch == stepsPerEpoch - 1 ? 6 : 7 }

  func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    precondition(batch.numbers.count == timesteps * lanes.count * 2 && batch.targets.count == lanes.count)
    let stream = Philox(seed: 5, purpose: .dataGeneration, step: step)
    batch.numbers.update(repeating: .nan)
    for (index, lane) in lanes.enumerated() {
      let isEmpty = lane >= targetCount(atStep: step)
      let length = isEmpty ? 0 : 1 + Int(stream.words(block: 1, lane: lane)[0] % 6)
      batch.lengths[index] = Int32(length)
      batch.targets[index] = noTarget
      for t in 0..<length {
        let words = stream.words(block: 0, t: t, lane: lane)
        for i in 0..<2 { batch.numbers[(t * lanes.count + index) * 2 + i] = 2 * Philox.uniform(words[i]) - 1 }
      }
      if length > 0 { batch.targets[index] = batch.numbers[index * 2] < 0 ? 0 : 1 }
    }
  }
}

private func countAllocations(_ training: Training) throws {
  try training.initialize(method: .uniform, forgetBias: 1)
  let source: any SequenceSource = FirstSigns()
  for step in 0..<5 {
    let before = allocation_count()
    _ = try training.step(step, source: source)
    let made = allocation_count() - before
    print("step \(step): \(made) allocations")
  }
}

private func train(_ training: Training, to steps: Int, in directory: RunDirectory, world: World) throws {
  let isRoot = world.communicator.rank == 0
  let newest = world.agree { () -> Checkpoint? in
    guard isRoot else { return nil }
    if try !directory.exists() { try directory.create(configuration: "") }
    return try directory.newestCheckpoint().newest
  }
  let start = try TrainingStart(found: newest, world: world)
  if case .anew = start { try training.initialize(method: .uniform, forgetBias: 1) }
  let trainer = try Trainer(
    world: world, training: training, source: FirstSigns(), validation: FirstSigns(),
    policy: Coordinator.Policy(totalSteps: steps, evaluateEvery: 0, checkpointEvery: 0), directory: directory,
    configuration: "", identity: DataIdentity(vocabulary: [], tokens: [])
  ) { report in
    guard case .finished(_, let trainLoss, let validationLoss, let sha256) = report else { return }
    print("finished \(trainLoss ?? .nan) \(validationLoss ?? .nan) \(sha256)")
  }
  _ = try trainer.run(start)
  var correct = 0
  let source = FirstSigns()
  _ = try training.replica.evaluate(source) { window in
    let batch = SequenceBatch.allocate(
      timesteps: source.timesteps, lanes: window.lanes.count, inputs: .numbers(2), targets: .pooled)
    defer { batch.deallocate() }
    source.fill(step: window.step, lanes: window.lanes, batch: batch)
    for (index, lane) in window.lanes.enumerated() {
      let logits = window.logits(lane: lane)
      if batch.targets[index] == (logits[0] > logits[1] ? 0 : 1) { correct += 1 }
    }
  }
  correct = try world.communicator.allReduce(correct, .sum)
  guard isRoot else { return }
  print("correct \(correct) of 20")
  let checkpoint = try directory.newestCheckpoint().newest!
  print("saved as trained: \(try SavedModel(checkpoint).shape == training.setup.shape)")
  print(
    try checkpoint.open("model.safetensors").tensors.map { "\($0.name) \($0.shape)" }.sorted().joined(separator: "\n"))
}

/// `classifier RUN STEPS [N]` trains a classifier of numbers in RUN to so many steps, from its newest checkpoint where
/// there is one, in at most N passes a step; `classifier` prints how many heap allocations each of five steps makes.
func classifier(_ world: World, _ arguments: [String]) throws {
  let setup = TrainingSetup(
    shape: ModelShape(input: .numbers(2), hidden: 9, layers: 2, head: .pooled(classes: 2)), timesteps: 6,
    globalBatch: 7, shards: 6, accumulate: arguments.count > 2 ? Int(arguments[2])! : 1,
    dropout: 0.25, seed: 1,
    rule: .adam(learningRate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8), clip: .norm(1), reduction: .reproducible)
  let training = try Training(world: world, setup: setup)
  if arguments.isEmpty { return try countAllocations(training) }
  try train(training, to: Int(arguments[1])!, in: RunDirectory(path: arguments[0]), world: world)
}
