import Configuration
import DataParallel
import Files
import LSTM
import Problems
import Sequences

/// The class of a whole sequence: a text, a series of numbers, a clip of sound.
struct ClassificationLearning: LearningTask {
  let configuration: Configuration

  func data() throws -> RunData {
    let account = DataAccount()
    let data = try read(account)
    let batch = configuration.batch
    let timesteps = try ClassifierInput.timesteps(
      for: [data.training] + (data.heldOut.map { [$0] } ?? []), most: batch.steps)
    let heldOut = data.heldOut.map {
      LabelledSet($0, data.encoding, "held out", configuration, timesteps: timesteps, training: data.training)
    }
    return RunData(
      shape: shape(data.encoding), timesteps: timesteps,
      training: configuration.augmented(
        data.training.batches(
          globalBatch: batch.sequences, timesteps: timesteps, shuffleSeed: configuration.seed)),
      validation: heldOut?.source, account: account,
      identity: DataIdentity(
        vocabulary: Array(try data.encoding.json()),
        tokens: data.training.fingerprint + (data.heldOut?.fingerprint ?? [])),
      vectors: try data.encoding.vocabulary.flatMap { try WordVectors.read(configuration, $0, account) },
      unit: "sequence"
    ) { model, _ in try heldOut?.result(model) }
  }

  func evaluation(of saved: SavedRun, on path: String?) throws -> EvaluationPlan {
    let encoding = try saved.classifierEncoding()
    let account = DataAccount()
    let (input, training, name) = try heldOut(of: saved, encoding, path, account)
    let timesteps = try ClassifierInput.timesteps(for: [input], most: 0)
    let set = LabelledSet(input, encoding, name, configuration, timesteps: timesteps, training: training)
    return EvaluationPlan(timesteps: timesteps, account: account, measure: set.result)
  }

  private func heldOut(
    of saved: SavedRun, _ encoding: ClassifierEncoding, _ path: String?, _ account: DataAccount
  ) throws -> (ClassifierInput, training: ClassifierInput?, name: String) {
    let data = configuration.data
    if let path {
      return (
        try ClassificationData.input(
          path: path, files: configuration.labelledFiles(), encoding: encoding, account: account), nil, path
      )
    }
    let again = try read(account)
    guard again.encoding == encoding else {
      throw saved.otherData("the classes and tokens or numbers")
    }
    guard let heldOut = again.heldOut else { throw SavedRun.nothingHeldOut }
    return (heldOut, again.training, data.heldOutName)
  }

  func prediction(by saved: SavedRun, of files: [ClassifierEncoding.File]) throws -> PredictionPlan {
    let encoding = try saved.classifierEncoding()
    let account = DataAccount()
    let input = try encoding.input(of: files, form: configuration.labelledFiles(), account: account)
    guard !input.labels.isEmpty else {
      throw Problem(.badData, "nothing to predict — expected at least one sequence, got none")
    }
    let timesteps = try ClassifierInput.timesteps(for: [input], most: 0)
    let source = input.batches(
      globalBatch: configuration.batch.sequences, timesteps: timesteps, shuffleSeed: nil)
    return PredictionPlan(timesteps: timesteps, account: account) { model in
      let outputs = try model.outputs(source, sequences: input.labels.count).outputs
      return zip(input.names, outputs).map { ClassPrediction(name: $0, softmax($1), encoding.classes) }
    }
  }

  var uses: [ModelUse] {
    // Where the data are gone by now there is nothing to suggest.
    guard let file = try? configuration.labelledFiles().firstFile(at: configuration.data.heldOutPath) else { return [] }
    return [.predict(path: file)]
  }

  // MARK: From the configuration

  private func read(_ account: DataAccount) throws -> ClassificationData {
    let data = configuration.data
    return try ClassificationData(
      path: data.path, files: configuration.labelledFiles(), tokens: data.tokens.kind,
      maximumVocabulary: data.vocabulary, heldOut: data.heldOutRule(), seed: configuration.seed,
      account: account)
  }

  private func shape(_ encoding: ClassifierEncoding) -> ModelShape {
    let model = configuration.model
    let input: ModelShape.Input =
      if let vocabulary = encoding.vocabulary {
        .tokens(vocabulary: vocabulary.count, embedding: model.embedding)
      } else {
        .numbers(encoding.width!)
      }
    return ModelShape(
      input: input, hidden: model.hidden, layers: model.layers, isBidirectional: model.bidirectional,
      head: .pooled(classes: encoding.classes.count), pooling: model.pooling)
  }
}

extension Configuration {
  /// The form of the files of labelled sequences.
  fileprivate func labelledFiles() throws -> LabelledFiles {
    switch data.source {
    case .classFiles: .classFiles(try NamePattern(data.files), data.texts)
    case .table: .table(textColumn: data.textColumn, labelColumn: data.labelColumn, data.table)
    case .series: .series
    case .audio:
      .audio(
        try NamePattern(data.files),
        LabelledFiles.MelFrames(bands: audio.bands, windowSeconds: audio.window, hopSeconds: audio.hop))
    case .generated, .text, .numbers, .pianoRolls, .conll:
      preconditionFailure("the configuration allows no such source")
    }
  }
}

extension Configuration {
  /// Batches of training clips, changed a little where the configuration says so.
  fileprivate func augmented(_ batches: some SequenceSource & IndexedBatches) -> any SequenceSource {
    if audio.noise == 0 && audio.shift == 0 { return batches }
    return AugmentedBatches(
      batches, seed: seed, noise: Float(audio.noise), shift: Int((audio.shift / audio.hop).rounded()))
  }
}

/// The class of one sequence.
package struct ClassPrediction: Prediction, Equatable {
  package let name: String
  package let `class`: String
  package let probability: Float
  /// Of each class.
  package let probabilities: [String: Float]

  /// - Parameter row: the probability of each of `classes`.
  package init(name: String, _ row: [Float], _ classes: [String]) {
    let best = row.indices.max { row[$0] < row[$1] }!
    (self.name, self.class, probability) = (name, classes[best], row[best])
    probabilities = Dictionary(uniqueKeysWithValues: zip(classes, row))
  }
}
