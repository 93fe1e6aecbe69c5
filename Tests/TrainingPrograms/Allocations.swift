import CAllocations
import DataParallel
import JobHealth
import LSTM
import MPI
import Optimization
import Sequences

/// `memory RULE on|off` prints how many bytes all ranks together keep for a model beside its gradients, the pages that
/// they share counted once, and those of the parameters.
func memory(_ world: World, _ arguments: [String]) throws {
  let setup = TrainingSetup(
    shape: ModelShape.languageModel(vocabulary: 65, embedding: 512, hidden: 512, layers: 2), timesteps: 2,
    globalBatch: 8, shards: 8, dropout: 0, seed: 1,
    rule: arguments[0] == "adam"
      ? .adam(learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8) : .sgd(learningRate: 1), clip: .norm(1),
    reduction: .reproducible, sharedMemory: arguments[1] == "on" ? .on : .off)
  try world.communicator.barrier()
  let before = ProcessMemory.proportionalBytes
  let training = try Training(world: world, setup: setup)
  try training.initialize(method: .uniform, forgetBias: 1)
  let source: any SequenceSource = try TokenStream(
    tokens: (0..<2000).map { Int32($0 * 7 % 65) }, globalBatch: 8, timesteps: 2, resetProbability: 0, seed: 1,
    name: "test")
  for step in 0..<3 { _ = try training.step(step, source: source) }
  try world.communicator.barrier()
  let used = try world.communicator.allReduce(ProcessMemory.proportionalBytes - before, .sum)
  let gradients = Training.memoryEstimate(setup, plan: training.replica.plan).gradients * world.communicator.size
  if world.communicator.rank == 0 { print("kept \(used - gradients) of parameters \(4 * setup.shape.parameterCount)") }
}

/// `allocations WORD …` prints how many heap allocations it takes to set up a small model, and then to make each of
/// five training steps, of several ranks twenty; with the word `adaptive` it has an adaptive softmax, with `tied` tied weights too, with `dropped`
/// recurrent weights are, with `trace` its events are recorded, more than there is room for, with `passes` a step takes
/// several, with `long` a shard has more rows than are multiplied at once. Of several ranks those of the rank that makes
/// most count, and not what MPI allocates for its messages; with `messages` ranks share no memory, with `mpi` MPI adds
/// up their gradients, with `dense` all rows of the embedding's gradient travel.
func allocations(_ world: World, _ arguments: [String]) throws {
  let isTied = arguments.contains("tied")
  var setup = TrainingSetup(
    shape: ModelShape.languageModel(
      vocabulary: 11, embedding: isTied ? 17 : 5, hidden: 17, layers: 2,
      softmax: arguments.contains("adaptive") ? ([3, 6], isTied ? 1 : 2) : nil, isTied: isTied),
    timesteps: arguments.contains("long") ? 1100 : 6, globalBatch: 9, shards: 8,
    accumulate: arguments.contains("passes") ? 3 : 1, dropout: 0.25, seed: 1,
    rule: .adam(learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8),
    clip: .norm(1), reduction: arguments.contains("mpi") ? .mpi : .reproducible,
    sharedMemory: arguments.contains("messages") ? .off : .auto,
    embeddingRows: arguments.contains("dense") ? .dense : .sparse)
  setup.weightDropout = arguments.contains("dropped") ? 0.2 : 0
  let all = world.communicator
  /// Of the calling thread so far. Alone MPI has nothing to do.
  func count() -> Int { all.size == 1 ? allocation_count() : own_allocation_count() }
  var before = count()
  let training = try Training(
    world: world, setup: setup, tracedEvents: arguments.contains("trace") ? 50 : 0)
  let steps = all.size == 1 ? 5 : 20
  var made = Array(repeating: 0, count: 1 + steps)
  made[0] = count() - before
  try training.initialize(method: .uniform, forgetBias: 1)
  let source: any SequenceSource = try TokenStream(
    tokens: (0..<20_000).map { Int32($0 * 7 % 11) }, globalBatch: setup.globalBatch, timesteps: setup.timesteps,
    resetProbability: 0.1, seed: 1, name: "test")
  for step in 0..<steps {
    before = count()
    _ = try training.step(step, source: source)
    made[1 + step] = count() - before
  }
  made = try made.map { try all.allReduce($0, .maximum) }
  guard all.rank == 0 else { return }
  print("setup: \(made[0]) allocations")
  for step in 0..<steps { print("step \(step): \(made[1 + step]) allocations") }
}
