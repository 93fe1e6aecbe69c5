import Configuration
import DataParallel
import Files
import LSTM
import Problems
import Sequences

/// The class of a whole sequence: a text, a series of numbers, a clip of sound.
enum ClassificationLearning: LearningTask {
  static func data(_ configuration: Configuration) throws -> RunData {
    let data = try read(configuration)
    let batch = configuration.batch
    let timesteps = try ClassifierInput.timesteps(
      for: [data.training] + (data.heldOut.map { [$0] } ?? []), most: batch.steps)
    let heldOut = data.heldOut.map {
      LabelledSet($0, data.encoding, "held out", configuration, timesteps: timesteps, training: data.training)
    }
    return RunData(
      shape: shape(configuration, data.encoding), timesteps: timesteps,
      training: configuration.augmented(
        data.training.batches(
          globalBatch: batch.sequences, timesteps: timesteps, shuffleSeed: configuration.seed)),
      validation: heldOut?.source,
      identity: DataIdentity(
        vocabulary: Array(try data.encoding.json()),
        tokens: data.training.fingerprint + (data.heldOut?.fingerprint ?? [])),
      vectors: try data.encoding.vocabulary.flatMap { try WordVectors.read(configuration, $0) }, unit: "sequence"
    ) { model, world, _ in
      guard let heldOut else { return [] }
      return [""] + (try heldOut.result(model, world))
    }
  }

  static func evaluation(of saved: SavedRun, on path: String?) throws -> Evaluation {
    let configuration = saved.configuration
    let encoding = try saved.classifierEncoding()
    let (input, training, name) = try heldOut(configuration, encoding, path)
    let timesteps = try ClassifierInput.timesteps(for: [input], most: 0)
    let set = LabelledSet(input, encoding, name, configuration, timesteps: timesteps, training: training)
    return Evaluation(timesteps: timesteps, lines: set.result)
  }

  private static func heldOut(
    _ configuration: Configuration, _ encoding: ClassifierEncoding, _ path: String?
  ) throws -> (ClassifierInput, training: ClassifierInput?, name: String) {
    let data = configuration.data
    if let path {
      return (
        try ClassificationData.input(path: path, files: configuration.labelledFiles(), encoding: encoding), nil, path
      )
    }
    let again = try read(configuration)
    guard again.encoding == encoding else {
      throw SavedRun.otherData(at: data.path, "the classes and tokens or numbers")
    }
    guard let heldOut = again.heldOut else { throw SavedRun.nothingHeldOut }
    return (heldOut, again.training, "held out of \(data.path)")
  }

  static func prediction(by saved: SavedRun, of files: [ClassifierEncoding.File]) throws -> Prediction {
    let encoding = try saved.classifierEncoding()
    let input = try encoding.input(of: files, form: saved.configuration.labelledFiles())
    guard !input.labels.isEmpty else {
      throw Problem(.badData, "nothing to predict — expected at least one sequence, got none")
    }
    let timesteps = try ClassifierInput.timesteps(for: [input], most: 0)
    let source = input.batches(
      globalBatch: saved.configuration.batch.sequences, timesteps: timesteps, shuffleSeed: nil)
    return Prediction(timesteps: timesteps) { model, _ in
      let probabilities = try model.classify(source, sequences: input.labels.count).probabilities
      return try input.names.indices.map { try line(input.names[$0], probabilities[$0], encoding.classes) }
    }
  }

  private static func line(_ name: String, _ probabilities: [Float], _ classes: [String]) throws -> String {
    struct Said: Encodable {
      let name: String
      let `class`: String
      let probability: Float
      let probabilities: [String: Float]
    }
    let best = probabilities.indices.max { probabilities[$0] < probabilities[$1] }!
    let said = Said(
      name: name, class: classes[best], probability: probabilities[best],
      probabilities: Dictionary(uniqueKeysWithValues: zip(classes, probabilities)))
    return try SortedJSON.text(said)
  }

  static func uses(of run: FinishedRun) -> [ShellCommand] {
    // Where the data are gone by now there is nothing to suggest.
    guard let file = try? run.configuration.labelledFiles().firstFile(at: run.dataPath) else { return [] }
    return [run.command("predict", ShellCommand.path(file))]
  }

  // MARK: From the configuration

  private static func read(_ configuration: Configuration) throws -> ClassificationData {
    let data = configuration.data
    return try ClassificationData(
      path: data.path, files: configuration.labelledFiles(), tokens: data.tokens.kind,
      maximumVocabulary: data.vocabulary, heldOut: data.heldOutRule(), seed: configuration.seed)
  }

  private static func shape(_ configuration: Configuration, _ encoding: ClassifierEncoding) -> ModelShape {
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
    case .classFiles: .classFiles(try NamePattern(data.files))
    case .table: .table(textColumn: data.textColumn, labelColumn: data.labelColumn)
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

extension Configuration.Data {
  /// Which labelled sequences are held out.
  func heldOutRule() throws -> HeldOut {
    if folds > 0 { return .fold(fold, of: folds) }
    if !heldOut.isEmpty { return .names(try heldOut.split(separator: "|").map { try NamePattern(String($0)) }) }
    return switch validation {
    case .none: .none
    case .fraction(let share): .share(share)
    case .file(let path): .path(path)
    }
  }
}
