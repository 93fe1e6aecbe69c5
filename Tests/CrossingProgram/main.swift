import DataParallel
import Foundation
import LSTM
import MPI
import Optimization
import Runs
import Sequences
import TrainingLoop

// Trainings in which features meet, many in one job.
//
// crossing-program train CASES DIRECTORY    trains each case in DIRECTORY/<name>, from its newest checkpoint where
//                                           there is one; says its exit code
// crossing-program measure CASES DIRECTORY  in one process, plainly: the validation loss of every checkpoint's model;
//                                           the norm of one step's gradient; of each tensor's gradient
//                                           the norm and, from losses alone, the slope of the loss along it; what the
//                                           run reads in each step
// crossing-program repeat CASES DIRECTORY   repeats each run from its start and says what differs
//
// CASES is a file with a case on each line (`Case`). Of DIRECTORY/<name> the case's `run` may say another name.

/// A case on these ranks, ready to begin.
struct Trial {
  let `case`: Case
  let training: Training
  let source: DisturbedSource
  let validation: any SequenceSource
  let directory: RunDirectory
  let identity = DataIdentity(vocabulary: [], tokens: [])

  /// - Parameter isPlain: whether all is computed at once, and nothing dropped but where the gradient is asked for.
  init(_ world: World, _ given: Case, in path: String, rule: OptimizerRule? = nil, isPlain: Bool = false) throws {
    `case` = given
    let base = try given.source()
    var setup = TrainingSetup(
      shape: given.shape, timesteps: base.timesteps,
      segment: isPlain || !given.has("recompute") ? nil : given.int("recompute", 1),
      globalBatch: base.globalBatch, shards: 4, accumulate: isPlain ? 1 : given.int("accumulate", 1),
      dropout: Float(given.double("dropout", 0)), seed: 1, rule: rule ?? given.rule,
      clip: rule == nil ? given.clip : .none, schedule: rule == nil ? given.schedule : .constant,
      averaging: rule == nil ? given.averaging : .never, patience: rule == nil ? given.int("patience", 0) : 0,
      reduction: .reproducible, sharedMemory: given.has("messages") ? .off : .auto,
      embeddingRows: given.has("dense") ? .dense : .sparse)
    setup.dropoutMask = given.has("variational") ? .sequence : .timestep
    setup.weightDropout = Float(given.double("weightDropout", 0))
    setup.embeddingDropout = Float(given.double("embeddingDropout", 0))
    if given.has("penalties") { setup.penalty = ActivationPenalty(activation: 20, temporal: 100) }
    training = try Training(world: world, setup: setup)
    let faults = given.has("skip") ? given.list("skip") : given.list("rollback")
    source = DisturbedSource(
      base: base, fault: Fault(training, steps: faults, isHealedByRollback: given.has("rollback")),
      halvedAfter: given.has("halvedAfter") ? given.int("halvedAfter", 0) : nil)
    validation = try given.validation()
    directory = RunDirectory(path: path + "/" + given.text("run", given.name))
  }

  func initialize() throws { try training.initialize(method: .uniform, forgetBias: 1) }

  var policy: NonFinitePolicy {
    `case`.has("skip")
      ? .skip(inARow: 3) : `case`.has("rollback") ? .rollBack(times: 2, learningRateFactor: 0.5) : .stop
  }

  func train(_ world: World) throws -> Int32 {
    let isRoot = world.communicator.rank == 0
    let newest = world.agree { () -> Checkpoint? in
      guard isRoot else { return nil }
      if try !directory.exists() { try directory.create(configuration: "") }
      return try directory.newestCheckpoint().newest
    }
    let isComplete = try MetricsLog.finishedStep(directory.metrics) == newest?.manifest.step
    let start = try TrainingStart(found: newest, finishRecorded: newest != nil && isComplete, world: world)
    if case .anew = start { try initialize() }
    let trainer = try Trainer(
      world: world, training: training, source: source, validation: validation,
      policy: Coordinator.Policy(
        totalSteps: `case`.int("steps", 12), evaluateEvery: `case`.int("evaluateEvery", 1),
        checkpointEvery: `case`.int("checkpointEvery", 1), nonFinite: policy),
      verification: VerificationPolicy(every: `case`.int("verifyEvery", 2), paranoid: `case`.has("paranoid")),
      directory: directory, configuration: "", identity: identity, report: { _ in })
    return try trainer.run(start)
  }

  func repeated(_ world: World) throws -> Repetition.Finding? {
    try initialize()
    let repetition = Repetition(world: world, training: training, source: source, validation: validation)
    let last = try directory.checkpoint(step: directory.checkpointSteps().last!)
    return try repetition.run(
      from: nil, to: last, records: ParameterRecord.read(directory.metrics),
      setbacks: SetbackRecord.read(directory.metrics), identity: identity, passed: { _ in })
  }
}

/// What `measure` says of a run.
struct Measurement: Encodable {
  /// By the step of a checkpoint.
  var validationLosses: [String: Double] = [:]
  /// The step whose gradient is measured, and its norm.
  var gradientStep = 0
  var gradientNorm = 0.0
  /// Of each tensor the norm of its gradient, and the slope of the loss along it.
  var slopes: [String: [Double]] = [:]
  var windows: [Window]

  init(_ world: World, _ given: Case, in path: String) throws {
    let trial = try Trial(world, given, in: path, isPlain: true)
    let shape = given.shape
    windows = (0..<given.int("steps", 12)).map { Window(trial.source.base, step: $0, shape: shape) }
    for step in try trial.directory.checkpointSteps() {
      let checkpoint = try trial.directory.checkpoint(step: step)
      try SavedModel(checkpoint).readParameters(checkpoint, into: trial.training.replica.parameters)
      try trial.training.replica.parametersChanged()
      validationLosses["\(step)"] = try trial.training.replica.evaluate(trial.validation)
    }
    try measureGradient(world, given, in: path)
  }

  /// Before an average begins, whose model is not what training goes on with.
  private mutating func measureGradient(_ world: World, _ given: Case, in path: String) throws {
    let step = given.int("gradientStep", 2)
    let trial = try Trial(world, given, in: path, rule: .sgd(learningRate: 1), isPlain: true)
    let (training, parameters) = (trial.training, trial.training.replica.parameters)
    let before = try trial.directory.checkpoint(step: step)
    func begin(_ write: (Int) -> Float?) throws -> StepResult {
      _ = try training.load(.file(before))
      for i in 0..<given.shape.parameterCount { if let value = write(i) { parameters[i] = value } }
      try training.replica.parametersChanged()
      return try training.step(step, source: trial.source.base)
    }
    _ = try training.load(.file(before))
    let first = Array(UnsafeBufferPointer(start: parameters, count: given.shape.parameterCount))
    let plain = try begin { _ in nil }
    let gradient = first.indices.map { (first[$0] - parameters[$0]) / Float(plain.learningRate) }
    (gradientStep, gradientNorm) = (step + 1, plain.gradientNorm)
    let tensors = ParameterTensors(given.shape)
    for (name, range) in zip(tensors.names, tensors.ranges) {
      let norm = range.reduce(0.0) { $0 + Double(gradient[$1]) * Double(gradient[$1]) }.squareRoot()
      guard norm > 0 else { continue }
      let losses = try [0.02, -0.02].map { width in
        try begin { first[$0] + (range.contains($0) ? Float(width / norm) * gradient[$0] : 0) }.loss
      }
      slopes[name] = [norm, (losses[0] - losses[1]) / 0.04]
    }
  }
}

let arguments = CommandLine.arguments
World.run { world in
  let text = try String(contentsOfFile: arguments[2], encoding: .utf8)
  for line in text.split(separator: "\n") {
    let given = Case(line)
    switch arguments[1] {
    case "train":
      let code = try Trial(world, given, in: arguments[3]).train(world)
      if world.communicator.rank == 0 { print("\(given.name) \(code)") }
    case "measure":
      let json = try JSONEncoder().encode(Measurement(world, given, in: arguments[3]))
      print("\(given.name) \(String(decoding: json, as: UTF8.self))")
    default:
      let finding = try Trial(world, given, in: arguments[3]).repeated(world)
      if world.communicator.rank == 0 { print("\(given.name) \(finding.map { "\($0)" } ?? "same")") }
    }
  }
}
