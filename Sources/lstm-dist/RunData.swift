import Checkpoints
import Configuration
import DataParallel
import Foundation
import LSTM
import Optimization
import Sequences

/// The sequences of a run: what its configuration says, read or generated. Every rank makes the same.
struct RunData {
  /// The task's own part.
  enum Kind {
    case reber(ReberTask)
    case text
  }

  let kind: Kind
  let vocabulary: Vocabulary
  let training: any SequenceSource
  /// Nil where nothing is held out.
  let validation: (any SequenceSource)?
  /// What a checkpoint holds of the data, to know it again.
  let identity: DataIdentity

  /// Reads or generates the data of a configuration.
  init(_ configuration: Configuration) throws {
    let (batch, data) = (configuration.batch, configuration.data)
    switch configuration.task {
    case .reber:
      let task = try ReberTask(
        seed: configuration.seed, trainingCount: data.trainingStrings, heldOutCount: data.heldOutStrings,
        longest: batch.steps + 1)
      kind = .reber(task)
      vocabulary = ReberTask.vocabulary
      training = task.trainingSource(globalBatch: batch.sequences, seed: configuration.seed)
      validation =
        task.heldOut.isEmpty ? nil : task.evaluationSource(task.heldOut, globalBatch: batch.sequences)
      identity = DataIdentity(vocabulary: Array(try vocabulary.json()), tokens: task.training + task.heldOut)
    case .languageModel:
      let corpus = try TextCorpus(
        path: data.path, tokens: data.tokenKind, maximumVocabulary: data.vocabulary, validation: data.heldOut)
      kind = .text
      vocabulary = corpus.vocabulary
      training = try TokenStream(
        tokens: corpus.training, globalBatch: batch.sequences, timesteps: batch.steps, resetProbability: batch.reset,
        seed: configuration.seed, name: data.path)
      validation = try corpus.validation.map {
        try EvaluationStream(
          tokens: $0, globalBatch: batch.sequences, timesteps: batch.steps, name: data.path)
      }
      identity = DataIdentity(
        vocabulary: Array(try vocabulary.json()), tokens: [corpus.training, corpus.validation ?? []])
    }
  }
}

extension Configuration.Data {
  var tokenKind: TokenKind {
    switch tokens {
    case .characters: .characters
    case .bytes: .bytes
    case .words: .words
    case .symbols: .symbols
    }
  }

  var heldOut: TextCorpus.Validation {
    switch validation {
    case .none: .none
    case .fraction(let share): .fraction(share)
    case .file(let path): .file(path)
    }
  }
}

extension TrainingSetup {
  /// What a configuration says of training a model with so many tokens.
  init(_ configuration: Configuration, vocabulary: Int) {
    let (model, optimizer) = (configuration.model, configuration.optimizer)
    let rule: OptimizerRule =
      switch optimizer.name {
      case .sgd: .sgd(learningRate: optimizer.learningRate)
      case .adam:
        .adam(
          learningRate: optimizer.learningRate, beta1: optimizer.beta1, beta2: optimizer.beta2,
          epsilon: optimizer.epsilon)
      }
    self.init(
      shape: .languageModel(
        vocabulary: vocabulary, embedding: model.embedding, hidden: model.hidden, layers: model.layers),
      timesteps: configuration.batch.steps, globalBatch: configuration.batch.sequences,
      shards: configuration.batch.shards, dropout: Float(model.dropout), seed: configuration.seed, rule: rule,
      clip: optimizer.clip, reduction: configuration.distributed.reduction == .mpi ? .mpi : .reproducible,
      sharedMemory: SharedMemory(configuration.distributed.sharedMemory))
  }
}

extension NonFinitePolicy {
  init(_ choice: Configuration.NonFinite) {
    switch choice.policy {
    case .stop: self = .stop
    case .skip: self = .skip(inARow: choice.skips)
    case .rollback: self = .rollBack(times: choice.rollbacks, learningRateFactor: choice.learningRateFactor)
    }
  }
}

extension SharedMemory {
  init(_ choice: Configuration.Distributed.SharedMemory) {
    switch choice {
    case .auto: self = .auto
    case .on: self = .on
    case .off: self = .off
    }
  }
}

extension Initialization {
  init(_ choice: Configuration.Model.Initialization) {
    switch choice {
    case .uniform: self = .uniform
    case .xavier: self = .xavier
    }
  }
}
