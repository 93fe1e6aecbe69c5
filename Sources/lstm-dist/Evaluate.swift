import ArgumentParser
import Checkpoints
import Configuration
import DataParallel
import Foundation
import LSTM
import MPI
import Sequences

/// `evaluate`: the loss of a saved model on held-out data, exactly.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Computes the loss of a saved model, every target counted once; the same bits on any number of ranks.")

  @Argument(help: ArgumentHelp("A run directory (its newest valid checkpoint) or one checkpoint.", valueName: "run"))
  var path: String
  @Option(help: "Text file to evaluate on; by default what the run held out.") var text: String?

  func run() {
    runJob { world in
      let (saved, checkpoint) = loadModel(path, world: world)
      let (configuration, vocabulary) = (saved.configuration, saved.vocabulary)
      let data = world.agree { try EvaluationData(configuration, vocabulary, text: text) }
      let plan = world.agree {
        try ShardPlan(
          globalBatch: configuration.batch.sequences, shards: configuration.batch.shards,
          ranks: world.communicator.size)
      }
      let model = try ShardedModel(
        world: world, shape: saved.model.shape, timesteps: configuration.batch.steps, plan: plan, dropout: nil)
      world.agree { try saved.model.readParameters(checkpoint, into: model.parameters) }
      try model.parametersChanged()
      try report(world, model, data, checkpoint, configuration)
      return 0
    }
  }

  private func report(
    _ world: World, _ model: ShardedModel, _ data: EvaluationData, _ checkpoint: Checkpoint,
    _ configuration: Configuration
  ) throws {
    let isRoot = world.communicator.rank == 0
    if isRoot { print("checkpoint: \(checkpoint.path)") }
    switch data {
    case .reber(let task):
      let result = try ReberResult(task, model: model, world: world)
      if isRoot { result.lines.forEach { print($0) } }
    case .tokens(let source, let name):
      let loss = try model.evaluate(source)
      guard isRoot else { return }
      let targets = (0..<source.stepsPerEpoch).reduce(0) { $0 + source.targetCount(atStep: $1) }
      print("text: \(name), \(targets) targets")
      print("loss: \(loss) nats a token")
      if configuration.data.tokens == .words {
        print("perplexity: \(rounded(exp(loss), 3))")
      } else {
        print("bits a token: \(rounded(loss / log(2), 4))")
      }
    }
  }
}

/// What a saved model is evaluated on.
private enum EvaluationData {
  case reber(ReberTask)
  case tokens(EvaluationStream, name: String)

  init(_ configuration: Configuration, _ vocabulary: Vocabulary, text: String?) throws {
    let (data, batch) = (configuration.data, configuration.batch)
    if configuration.task == .reber {
      guard text == nil else {
        throw Failure(
          "a model of the Reber grammar has no text — expected no --text, got \(text!)", hint: nil, exitCode: 78)
      }
      self = .reber(
        try ReberTask(
          seed: configuration.seed, trainingCount: data.trainingStrings, heldOutCount: data.heldOutStrings,
          longest: batch.steps + 1))
      return
    }
    let (tokens, name) = try EvaluationData.tokens(configuration, vocabulary, text: text)
    self = .tokens(
      try EvaluationStream(tokens: tokens, globalBatch: batch.sequences, timesteps: batch.steps, name: name),
      name: name)
  }

  private static func tokens(
    _ configuration: Configuration, _ vocabulary: Vocabulary, text: String?
  ) throws -> ([Int32], name: String) {
    let data = configuration.data
    if let text { return (try TextCorpus.tokens(ofFile: text, vocabulary: vocabulary), text) }
    let corpus = try TextCorpus(
      path: data.path, tokens: data.tokenKind, maximumVocabulary: data.vocabulary, validation: data.heldOut)
    guard corpus.vocabulary == vocabulary else {
      throw CheckpointError(
        .badData, "the data has changed since the run began", expected: "the vocabulary of the checkpoint",
        got: "another one", at: data.path, hint: "restore the text, or name one with --text")
    }
    guard let tokens = corpus.validation else {
      throw Failure(
        "the run held nothing out — expected a text to evaluate on", hint: "name one with --text FILE", exitCode: 78)
    }
    return (tokens, "held-out part of \(data.path)")
  }
}
