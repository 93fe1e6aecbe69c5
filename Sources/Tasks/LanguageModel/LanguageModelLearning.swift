import Configuration
import DataParallel
import LSTM
import Problems
import Sequences

/// The next token of a text.
struct LanguageModelLearning: LearningTask {
  let configuration: Configuration

  func prepare(_ notify: (String) -> Void) throws { try TokenCache.standard.prepare(recipe, tell: notify) }

  func prepareEvaluation(of saved: SavedRun, on path: String?, _ notify: (String) -> Void) throws {
    try TokenCache.standard.prepare(evaluated(saved, on: path).recipe, tell: notify)
  }

  func data() throws -> RunData {
    let (batch, path) = (configuration.batch, configuration.data.path)
    let corpus = try TextCorpus(recipe)
    let training = try TokenStream(
      tokens: corpus.training, globalBatch: batch.sequences, timesteps: batch.steps, deviation: batch.jitter,
      resetProbability: batch.reset, seed: configuration.seed, name: path)
    let validation = try corpus.validation.map {
      try EvaluationStream(tokens: $0, globalBatch: batch.sequences, timesteps: training.timesteps, name: path)
    }
    let account = account(of: corpus)
    return RunData(
      shape: try ModelShape(languageModel: configuration, vocabulary: corpus.vocabulary), timesteps: training.timesteps,
      training: training,
      validation: validation, account: account,
      identity: DataIdentity(vocabulary: corpus.vocabularyJSON, tokensSHA256: corpus.tokensSHA256),
      vectors: try WordVectors.read(configuration, corpus.vocabulary, account), unit: "token")
  }

  func evaluation(of saved: SavedRun, on path: String?) throws -> EvaluationPlan {
    let (recipe, name) = try evaluated(saved, on: path)
    let corpus = try TextCorpus(recipe)
    guard corpus.vocabulary == (try saved.languageModelVocabulary()) else {
      throw saved.otherData("the vocabulary")
    }
    guard let tokens = path == nil ? corpus.validation : corpus.training else { throw SavedRun.nothingHeldOut }
    let batch = configuration.batch
    let timesteps = TokenStream.longestWindow(timesteps: batch.steps, deviation: batch.jitter)
    let source = try EvaluationStream(
      tokens: tokens, globalBatch: batch.sequences, timesteps: timesteps, name: name)
    let counted = path == nil ? corpus.unknown.validation : corpus.unknown.training
    let unknown = (counted?.unknown ?? 0) - (tokens.first == corpus.vocabulary.unknown ? 1 : 0)
    let account = DataAccount()
    if let counted { account.tellOfUnknown(counted, in: name) }
    if let path { corpus.tellForm(of: path, account) }
    return EvaluationPlan(
      timesteps: timesteps, account: account,
      identity: DataIdentity(vocabulary: corpus.vocabularyJSON, tokensSHA256: corpus.tokensSHA256)
    ) { model in
      TextResult(
        set: name, targets: tokens.count - 1, loss: try model.evaluate(source), tokens: corpus.vocabulary.kind,
        unknown: unknown)
    }
  }

  /// The text that a saved model is evaluated on, and what it is called: that of the run, or another one, of which all
  /// tokens are evaluated.
  private func evaluated(_ saved: SavedRun, on path: String?) throws -> (recipe: TextRecipe, name: String) {
    let data = configuration.data
    guard let path else {
      if case .file(let other) = data.validation { return (recipe, other) }
      return (recipe, "held-out part of \(data.path)")
    }
    let vocabulary = try saved.textVocabulary()
    return (TextRecipe(path: path, numbers: .known(vocabulary), lineEnds: data.lineEnds), path)
  }

  func sampling(from saved: SavedRun, _ options: SamplingOptions) throws -> SamplingPlan {
    let (vocabulary, prompt) = (try saved.languageModelVocabulary(), options.prompt)
    let read = try vocabulary.encode(prompt ?? (vocabulary.kind == .words ? "" : "\n"))
    // A prompt without a token, as for words: begin with the first that is not <unk>.
    let tokens = read.isEmpty ? [vocabulary.unknown == 0 && vocabulary.count > 1 ? 1 : 0] : read
    let shown = prompt == nil ? 0 : tokens.count
    return SamplingPlan(
      promptTokens: read.count, unknownPromptTokens: prompt == nil ? 0 : read.count { $0 == vocabulary.unknown }
    ) { sampler, show in
      for token in tokens { sampler.read(token) }
      var drawn = Array(tokens.prefix(shown))
      for _ in 0..<(options.length ?? 200) {
        let next = sampler.draw(
          temperature: options.temperature, excluding: vocabulary.unknown, limits: options.limits)
        drawn.append(next)
        sampler.read(next)
      }
      show(SampledSequence(text: vocabulary.decode(drawn)))
    }
  }

  private func account(of corpus: TextCorpus) -> DataAccount {
    let account = DataAccount()
    account.count("token", training: corpus.training.count, heldOut: corpus.validation?.count ?? 0)
    account.count(
      vocabulary: corpus.vocabulary.count, training: corpus.unknown.training, heldOut: corpus.unknown.validation)
    corpus.tellForm(of: configuration.data.path, account)
    return account
  }

  var uses: [ModelUse] { [.sample(length: 400)] }

  private var recipe: TextRecipe {
    let data = configuration.data
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

extension ModelShape {
  /// A model that predicts the next of a vocabulary's tokens.
  init(languageModel configuration: Configuration, vocabulary: Vocabulary) throws {
    let (model, cutoffs) = (configuration.model, configuration.model.cutoffs ?? [])
    guard cutoffs.isEmpty || AdaptiveShape.isPossible(cutoffs: cutoffs, classes: vocabulary.count) else {
      throw Problem(
        .badConfiguration,
        "impossible value of model.adaptiveSoftmax — expected cutoffs below the \(vocabulary.count) entries of the "
          + "vocabulary, got \(model.adaptiveSoftmax)")
    }
    self = .languageModel(
      vocabulary: vocabulary.count, embedding: model.embedding, hidden: model.hidden, layers: model.layers,
      softmax: cutoffs.isEmpty ? nil : (cutoffs, model.adaptiveFactor), isTied: model.tied)
  }
}
