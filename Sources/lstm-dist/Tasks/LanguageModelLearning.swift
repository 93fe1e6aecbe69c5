import Configuration
import DataParallel
import Foundation
import LSTM
import Problems
import Sequences

/// The next token of a text.
enum LanguageModelLearning: LearningTask {
  static func prepare(_ configuration: Configuration) throws { try prepare(recipe(configuration.data)) }

  static func prepareEvaluation(of saved: SavedRun, on path: String?) throws {
    try prepare(evaluated(saved, on: path).recipe)
  }

  private static func prepare(_ recipe: TextRecipe) throws {
    try TokenCache.standard.prepare(recipe) { printError("notice: \(singleLine($0))") }
  }

  static func data(_ configuration: Configuration) throws -> RunData {
    let (batch, path) = (configuration.batch, configuration.data.path)
    let corpus = try TextCorpus(recipe(configuration.data))
    let training = try TokenStream(
      tokens: corpus.training, globalBatch: batch.sequences, timesteps: batch.steps, deviation: batch.jitter,
      resetProbability: batch.reset, seed: configuration.seed, name: path)
    let validation = try corpus.validation.map {
      try EvaluationStream(tokens: $0, globalBatch: batch.sequences, timesteps: training.timesteps, name: path)
    }
    return RunData(
      shape: try languageModel(configuration, vocabulary: corpus.vocabulary), timesteps: training.timesteps,
      training: training,
      validation: validation,
      identity: DataIdentity(vocabulary: corpus.vocabularyJSON, tokensSHA256: corpus.tokensSHA256),
      vectors: try WordVectors.read(configuration, corpus.vocabulary), unit: "token")
  }

  static func evaluation(of saved: SavedRun, on path: String?) throws -> Evaluation {
    let (configuration, (recipe, name)) = (saved.configuration, try evaluated(saved, on: path))
    let corpus = try TextCorpus(recipe)
    guard corpus.vocabulary == (try saved.languageModelVocabulary()) else {
      throw SavedRun.otherData(at: configuration.data.path, "the vocabulary")
    }
    guard let tokens = path == nil ? corpus.validation : corpus.training else { throw SavedRun.nothingHeldOut }
    let batch = configuration.batch
    let timesteps = TokenStream.longestWindow(timesteps: batch.steps, deviation: batch.jitter)
    let source = try EvaluationStream(
      tokens: tokens, globalBatch: batch.sequences, timesteps: timesteps, name: name)
    let identity = DataIdentity(vocabulary: corpus.vocabularyJSON, tokensSHA256: corpus.tokensSHA256)
    return Evaluation(timesteps: timesteps) { model, world in
      try world.agree(on: identity.claims, hint: DataIdentity.hint)
      let loss = try model.evaluate(source)
      return [
        "text: \(name), \(tokens.count - 1) targets", "loss: \(loss) nats a token",
        configuration.data.tokens == .words
          ? "perplexity: \(rounded(exp(loss), 3))" : "bits a token: \(rounded(loss / log(2), 4))",
      ]
    }
  }

  /// The text that a saved model is evaluated on, and what it is called: that of the run, or another one, of which all
  /// tokens are evaluated.
  private static func evaluated(_ saved: SavedRun, on path: String?) throws -> (recipe: TextRecipe, name: String) {
    let data = saved.configuration.data
    guard let path else { return (recipe(data), "held-out part of \(data.path)") }
    let vocabulary = try saved.textVocabulary()
    return (TextRecipe(path: path, numbers: .known(vocabulary), lineEnds: data.lineEnds), path)
  }

  static func sample(_ options: Sample, from saved: SavedRun, _ sampler: () throws -> Sampler) throws {
    let (vocabulary, prompt) = (try saved.languageModelVocabulary(), options.prompt)
    var tokens = try vocabulary.encode(prompt ?? (vocabulary.kind == .words ? "" : "\n"))
    let unknown = tokens.count { $0 == vocabulary.unknown }
    if prompt != nil, unknown > 0 {
      printError("warning: the model does not know \(unknown) of the prompt's \(tokens.count) tokens")
    }
    // A prompt without a token, as for words: begin with the first that is not <unk>.
    if tokens.isEmpty { tokens = [vocabulary.unknown == 0 && vocabulary.count > 1 ? 1 : 0] }
    let shown = prompt == nil ? 0 : tokens.count
    let sampler = try sampler()
    for token in tokens { sampler.read(token) }
    var drawn = Array(tokens.prefix(shown))
    for _ in 0..<(options.length ?? 200) {
      let next = sampler.draw(
        temperature: options.temperature, excluding: vocabulary.unknown, limits: options.limits)
      drawn.append(next)
      sampler.read(next)
    }
    printLine(vocabulary.decode(drawn))
  }

  static func uses(of run: FinishedRun) -> [ShellCommand] { [run.command("sample", "--length", "400")] }

  private static func recipe(_ data: Configuration.Data) -> TextRecipe {
    let validation: TextRecipe.Validation =
      switch data.validation {
      case .none: .none
      case .fraction(let share): .fraction(share)
      case .file(let path): .file(path)
      }
    return TextRecipe(
      path: data.path, numbers: .counted(data.tokens.kind!, maximum: data.vocabulary), lineEnds: data.lineEnds,
      validation: validation)
  }
}

/// A model that says the next of a vocabulary's tokens.
func languageModel(_ configuration: Configuration, vocabulary: Vocabulary) throws -> ModelShape {
  let (model, cutoffs) = (configuration.model, configuration.model.cutoffs ?? [])
  guard cutoffs.isEmpty || AdaptiveShape.isPossible(cutoffs: cutoffs, classes: vocabulary.count) else {
    throw Problem(
      .badConfiguration,
      "impossible value of model.adaptiveSoftmax — expected cutoffs below the \(vocabulary.count) entries of the "
        + "vocabulary, got \(model.adaptiveSoftmax)")
  }
  return .languageModel(
    vocabulary: vocabulary.count, embedding: model.embedding, hidden: model.hidden, layers: model.layers,
    softmax: cutoffs.isEmpty ? nil : (cutoffs, model.adaptiveFactor), isTied: model.tied)
}
