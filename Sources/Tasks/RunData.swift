import Configuration
import DataParallel
import Glibc
import LSTM
import Sequences

/// The sequences of a run, read or generated, and the model that learns them.
package struct RunData {
  /// Sizes of the model.
  package let shape: ModelShape
  /// T of a window.
  package let timesteps: Int
  package let training: any SequenceSource
  /// Nil where nothing is held out.
  package let validation: (any SequenceSource)?
  /// What was read, and what of it was not taken as it stands.
  package var account = DataAccount()
  /// What a checkpoint holds of the data, to know it again.
  package let identity: DataIdentity
  /// What the vectors of some tokens begin with; nil where all begin as usual.
  package var vectors: WordVectors?
  /// What one target is: a token, or a sequence.
  package let unit: String
  /// What losses are measured in: nats, or nothing.
  package var measure = "nats"
  /// What the model comes to after its last step, nil where nothing is measured. Every rank calls it.
  package var result: (_ model: any EvaluatedModel, _ step: Int) throws -> (any TaskResult)? = { _, _ in nil }
}

extension Configuration.Data.Tokens {
  /// Nil for numbers.
  var kind: TokenKind? {
    switch self {
    case .characters: .characters
    case .bytes: .bytes
    case .words: .words
    case .symbols: .symbols
    case .numbers: nil
    }
  }
}

extension Training {
  /// The parameters as a run on these data begins.
  package func initialize(_ configuration: Configuration, _ data: RunData) throws {
    try initialize(
      method: configuration.model.initialization, forgetBias: Float(configuration.model.forgetBias),
      inputBias: Float(configuration.model.inputBias), vectors: data.vectors)
  }
}

extension WordVectors {
  /// The pretrained vectors of a vocabulary that a configuration names, if any.
  static func read(
    _ configuration: Configuration, _ vocabulary: Vocabulary, _ account: DataAccount
  ) throws -> WordVectors? {
    let model = configuration.model
    if model.vectors.isEmpty { return nil }
    return try WordVectors(
      path: model.vectors, vocabulary: vocabulary, width: model.embedding, account: account)
  }
}

extension TrainingSetup {
  /// What a configuration says of training on these data.
  package init(_ configuration: Configuration, _ data: RunData) {
    self.init(configuration, shape: data.shape, timesteps: data.timesteps)
  }

  /// The least that it may come to before the data are known: of tokens, classes and timesteps at least one each.
  package init(leastOf configuration: Configuration) {
    let model = configuration.model
    let input: ModelShape.Input =
      configuration.data.tokens == .numbers ? .numbers(1) : .tokens(vocabulary: 1, embedding: model.embedding)
    let shape = ModelShape(
      input: input, hidden: model.hidden, layers: model.layers, isBidirectional: model.bidirectional,
      head: .everyStep(classes: 1), isTied: model.tied)
    let hasWindow = configuration.task == .languageModel || configuration.task == .reber
    self.init(configuration, shape: shape, timesteps: hasWindow ? configuration.batch.steps : 1)
  }

  /// What a configuration says of training a model of this shape.
  package init(_ configuration: Configuration, shape: ModelShape, timesteps: Int) {
    let model = configuration.model
    self.init(
      shape: shape, timesteps: timesteps,
      segment: configuration.training.recompute.segment(of: timesteps), globalBatch: configuration.batch.sequences,
      shards: configuration.batch.shards, accumulate: configuration.batch.accumulate, dropout: Float(model.dropout),
      seed: configuration.seed, rule: configuration.optimizer.rule,
      clip: configuration.optimizer.clipping, schedule: configuration.schedule.rule,
      averaging: configuration.optimizer.averaging, patience: configuration.training.patience,
      reduction: configuration.distributed.reduction, sharedMemory: configuration.distributed.sharedMemory,
      embeddingRows: configuration.distributed.embedding)
    dropoutMask = model.dropoutMask
    (weightDropout, embeddingDropout) = (Float(model.weightDropout), Float(model.embeddingDropout))
    penalty = ActivationPenalty(activation: Float(model.activationPenalty), temporal: Float(model.temporalPenalty))
  }
}

extension Configuration {
  /// Bytes of a file of data that each rank reads whole. Texts to learn are not read whole.
  package var leastDataBytes: Int {
    var status = stat()
    guard task != .languageModel, stat(data.path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return 0 }
    return Int(status.st_size)
  }
}
