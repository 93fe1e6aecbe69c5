import Configuration
import DataParallel
import LSTM
import Sequences

/// A label for each word of a sequence.
struct TaggingLearning: LearningTask {
  let configuration: Configuration

  func data() throws -> RunData {
    let account = DataAccount()
    let data = try read(account)
    let (batch, model) = (configuration.batch, configuration.model)
    let timesteps = try TaggedTokens.timesteps(
      for: [data.training] + (data.heldOut.map { [$0] } ?? []), most: batch.steps)
    let heldOut = data.heldOut.map {
      TaggedSet($0, data.encoding, "held out", configuration, timesteps: timesteps, training: data.training)
    }
    let vocabulary = data.encoding.vocabulary!
    return RunData(
      shape: ModelShape(
        input: .tokens(vocabulary: vocabulary.count, embedding: model.embedding), hidden: model.hidden,
        layers: model.layers, isBidirectional: model.bidirectional,
        head: .everyStep(classes: data.encoding.classes.count)),
      timesteps: timesteps,
      training: TaggedBatches(
        data.training, globalBatch: batch.sequences, timesteps: timesteps, shuffleSeed: configuration.seed),
      validation: heldOut?.source, account: account,
      identity: DataIdentity(
        vocabulary: Array(try data.encoding.json()),
        tokens: data.training.fingerprint + (data.heldOut?.fingerprint ?? [])),
      vectors: try WordVectors.read(configuration, vocabulary, account), unit: "word"
    ) { model, _ in try heldOut?.result(model) }
  }

  func evaluation(of saved: SavedRun, on path: String?) throws -> EvaluationPlan {
    let encoding = try saved.taggerEncoding()
    let account = DataAccount()
    let (input, training, name) = try heldOut(of: saved, encoding, path, account)
    let timesteps = try TaggedTokens.timesteps(for: [input], most: 0)
    let set = TaggedSet(input, encoding, name, configuration, timesteps: timesteps, training: training)
    return EvaluationPlan(timesteps: timesteps, account: account, measure: set.result)
  }

  private func heldOut(
    of saved: SavedRun, _ encoding: ClassifierEncoding, _ path: String?, _ account: DataAccount
  ) throws -> (TaggedTokens, training: TaggedTokens?, name: String) {
    if let path {
      let input = try TaggingData.input(path: path, columns: columns, encoding: encoding, account: account)
      return (input, nil, path)
    }
    let again = try read(account)
    guard again.encoding == encoding else {
      throw saved.otherData("the words and labels")
    }
    guard let heldOut = again.heldOut else { throw SavedRun.nothingHeldOut }
    return (heldOut, again.training, configuration.data.heldOutName)
  }

  func prediction(by saved: SavedRun, of files: [ClassifierEncoding.File]) throws -> PredictionPlan {
    let encoding = try saved.taggerEncoding()
    let account = DataAccount()
    let words = try TaggedWords.unlabelled(
      of: files, columns: columns, hasBlanks: encoding.vocabulary!.hasBlanks, account: account)
    let tokens = try encoding.unlabelledTokens(words)
    let timesteps = try TaggedTokens.timesteps(for: [tokens], most: 0)
    let source = TaggedBatches(
      tokens, globalBatch: configuration.batch.sequences, timesteps: timesteps, shuffleSeed: nil)
    return PredictionPlan(timesteps: timesteps, account: account) { model in
      let said = try model.classifyTimesteps(source, lengths: words.lengths).said
      return said.indices.map { index in
        LabelPrediction(
          name: words.names[index], words: words[index].map(\.text),
          labels: said[index].map { encoding.classes[$0.class] }, probabilities: said[index].map(\.probability))
      }
    }
  }

  var uses: [ModelUse] { [.predict(path: configuration.data.heldOutPath)] }

  private var columns: TaggedColumns {
    let data = configuration.data
    return TaggedColumns(word: data.wordColumn, label: data.labelColumn, comment: data.table.comment)
  }

  private func read(_ account: DataAccount) throws -> TaggingData {
    let data = configuration.data
    return try TaggingData(
      path: data.path, columns: columns, maximumVocabulary: data.vocabulary, heldOut: data.heldOutRule(),
      seed: configuration.seed,
      account: account)
  }
}

/// The labels of the words of one sequence.
package struct LabelPrediction: Prediction, Equatable {
  package let name: String
  package let words: [String]
  package let labels: [String]
  /// Of each label.
  package let probabilities: [Float]
}
