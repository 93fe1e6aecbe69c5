import ArgumentParser
import Configuration
import DataParallel
import Foundation
import JobHealth
import LSTM
import MPI
import Plan
import Problems
import Runs
import Sequences

/// A saved model with what is needed to use it.
struct SavedRun {
  let model: SavedModel
  let configuration: Configuration
  /// Updates that the model has learned by.
  let step: Int
  private let path: String

  init(_ checkpoint: Checkpoint) throws {
    model = try SavedModel(checkpoint)
    configuration = try Configuration(yaml: checkpoint.manifest.configuration, name: checkpoint.path)
    step = checkpoint.manifest.step
    path = checkpoint.path
  }

  /// The tokens of a model that reads them and says the next.
  func languageModelVocabulary() throws -> Vocabulary {
    let vocabulary = try Vocabulary(json: Data(model.vocabulary), name: path)
    let head = ModelShape.Head.everyStep(classes: vocabulary.count)
    guard model.shape.vocabulary == vocabulary.count, model.shape.head == head else {
      throw unfit("vocabulary", "a model that reads \(vocabulary.count) tokens and has the head \(head)")
    }
    return vocabulary
  }

  /// The same of a model of texts, which have no symbols.
  func textVocabulary() throws -> Vocabulary {
    let vocabulary = try languageModelVocabulary()
    guard vocabulary.kind != .symbols else {
      throw Problem(
        .badData, "vocabulary does not fit the task", expected: "bytes, characters or words", got: "symbols", at: path)
    }
    return vocabulary
  }

  /// How a model that says one class of a sequence reads it.
  func classifierEncoding() throws -> ClassifierEncoding {
    try encoding(of: "a whole sequence") { .pooled(classes: $0) }
  }

  /// How a model that says one class of each word reads them.
  func taggerEncoding() throws -> ClassifierEncoding {
    let encoding = try encoding(of: "every timestep") { .everyStep(classes: $0) }
    guard encoding.vocabulary?.kind == .words else { throw unfit("encoding", "a model that reads words") }
    return encoding
  }

  private func encoding(of what: String, _ head: (_ classes: Int) -> ModelShape.Head) throws -> ClassifierEncoding {
    let encoding = try ClassifierEncoding(json: Data(model.vocabulary), name: path)
    let classes = encoding.classes.count
    guard model.shape.vocabulary == encoding.vocabulary?.count, model.shape.head == head(classes),
      encoding.width == nil || encoding.width == model.shape.inputs
    else {
      throw unfit(
        "encoding",
        "a model that reads \(encoding.vocabulary.map { "\($0.count) tokens" } ?? "\(encoding.width!) numbers") and says one "
          + "of \(classes) classes of \(what)")
    }
    return encoding
  }

  /// How a model that says the next numbers of a table reads it.
  func forecastEncoding() throws -> ForecastEncoding {
    let encoding = try ForecastEncoding(json: Data(model.vocabulary), name: path)
    try check(input: .numbers(encoding.columns.count), head: .pooledNumbers(configuration.data.horizon))
    return encoding
  }

  /// Throws unless the model has this input and this head.
  func check(input: ModelShape.Input, head: ModelShape.Head) throws {
    guard model.shape.input == input, model.shape.head == head else { throw unfit("task", "\(input), \(head)") }
  }

  private func unfit(_ what: String, _ expected: String) -> Problem {
    Problem(
      .badData, "\(what) does not fit the model", expected: expected,
      got: "\(model.shape.input), \(model.shape.head)", at: path)
  }

  /// The model on all ranks, with windows of T = `timesteps`. Collective.
  func replica(_ world: World, _ checkpoint: Checkpoint, timesteps: Int) throws -> Replica {
    let plan = world.agree {
      try ShardPlan(
        globalBatch: configuration.batch.sequences, shards: configuration.batch.shards, ranks: world.communicator.size)
    }
    let setup = TrainingSetup(configuration, shape: model.shape, timesteps: timesteps)
    world.agree {
      try MemoryLimits.ofThisProcess(localRanks: world.node.size).check(
        Replica.memoryNeed(of: setup, plan: plan), for: "model and sequences do not fit",
        hint: "use fewer ranks, or more nodes")
    }
    let replica = try Replica(
      world: world, shape: model.shape, timesteps: timesteps,
      segment: configuration.training.recompute.segment(of: timesteps), plan: plan, dropout: nil,
      accumulate: configuration.batch.accumulate)
    world.agree { try model.readParameters(checkpoint, into: replica.parameters) }
    try replica.parametersChanged()
    return replica
  }

  // MARK: What it is evaluated on

  /// The data that a run names are not those that it was trained on.
  static func otherData(at path: String, _ what: String) -> Problem {
    Problem(
      .badData, "the data has changed since the run began", expected: "\(what) of the checkpoint", got: "other ones",
      at: path, hint: "restore the data, or name others with --data")
  }

  /// Where the data cannot be read, the error of `body` says in a hint how others are named.
  static func hinting<Result>(_ hint: String?, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as Problem where error.exitCode == 74 && error.hint == nil {
      throw Problem(error.exit, error.message, hint: hint)
    }
  }

  /// Of a run that stored where its data lie.
  static let movedDataHint =
    "if the data of the run have moved, name them with --set data.path=PATH (and data.validation, if a file)"

  static let nothingHeldOut = Problem(
    .badConfiguration, "the run held nothing out — expected data to evaluate on", hint: "name them with --data PATH")
}

/// Which model a command uses.
struct ModelChoice: ParsableArguments {
  @Argument(help: ArgumentHelp("A run directory (its newest valid checkpoint) or one checkpoint.", valueName: "run"))
  var path: String
  @Flag(help: "Of a run directory the checkpoint with the lowest validation loss.") var best = false
}

/// Every rank opens what a RUN argument means; rank 0 names damaged checkpoints that were passed over.
func loadModel(_ choice: ModelChoice, world: World) throws -> (SavedRun, Checkpoint) {
  let (saved, checkpoint) = world.agree {
    let resolved = try ResolvedRun(choice.path, best: choice.best)
    try resolved.run?.checkConfiguration(of: resolved.checkpoint)
    if world.communicator.rank == 0 {
      for damaged in resolved.damaged {
        printError("warning: passed over a damaged checkpoint: \(damaged.error.message)")
      }
      if let best = resolved.betterEvaluation, let loss = resolved.checkpoint.manifest.validationLoss {
        printError(
          "warning: no checkpoint of the best evaluation was kept — expected step \(best.step), validation loss "
            + "\(rounded(best.loss, 4)), got step \(resolved.checkpoint.manifest.step), \(rounded(loss, 4)) "
            + "(\(choice.path))")
      }
    }
    return (try SavedRun(resolved.checkpoint), resolved.checkpoint)
  }
  try world.agree(on: [
    ("the checkpoint's step", "\(checkpoint.manifest.step)"),
    ("the checkpoint's parameters", saved.model.parametersSHA256),
  ])
  return (saved, checkpoint)
}

extension RunDirectory {
  /// Throws, with exit code 65, where a checkpoint has another configuration than its run, in a key that may not change
  /// within one.
  func checkConfiguration(of checkpoint: Checkpoint) throws {
    let run = try Configuration(yaml: readConfiguration(), name: configurationPath)
    let own = try Configuration(yaml: checkpoint.manifest.configuration, name: checkpoint.path)
    guard let difference = own.difference(withinRun: run) else { return }
    throw Problem(
      .badData, "checkpoint of another configuration", expected: "\(difference.key) \(difference.other) as in the run",
      got: difference.value, at: checkpoint.path,
      hint: "move the checkpoint out of \(path), or restore \(configurationPath)")
  }
}
