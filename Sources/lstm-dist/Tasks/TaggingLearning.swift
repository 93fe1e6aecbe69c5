import Configuration
import DataParallel
import LSTM
import Sequences

/// A label for each word of a sequence.
enum TaggingLearning: LearningTask {
  static func data(_ configuration: Configuration) throws -> RunData {
    let data = try read(configuration)
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
      validation: heldOut?.source,
      identity: DataIdentity(
        vocabulary: Array(try data.encoding.json()),
        tokens: data.training.fingerprint + (data.heldOut?.fingerprint ?? [])),
      vectors: try WordVectors.read(configuration, vocabulary), unit: "word"
    ) { model, world, _ in
      guard let heldOut else { return [] }
      return [""] + (try heldOut.result(model, world))
    }
  }

  static func evaluation(of saved: SavedRun, on path: String?) throws -> Evaluation {
    let (configuration, encoding) = (saved.configuration, try saved.taggerEncoding())
    let (input, training, name) = try heldOut(configuration, encoding, path)
    let timesteps = try TaggedTokens.timesteps(for: [input], most: 0)
    let set = TaggedSet(input, encoding, name, configuration, timesteps: timesteps, training: training)
    return Evaluation(timesteps: timesteps, lines: set.result)
  }

  private static func heldOut(
    _ configuration: Configuration, _ encoding: ClassifierEncoding, _ path: String?
  ) throws -> (TaggedTokens, training: TaggedTokens?, name: String) {
    if let path { return (try TaggingData.input(path: path, encoding: encoding), nil, path) }
    let again = try read(configuration)
    guard again.encoding == encoding else {
      throw SavedRun.otherData(at: configuration.data.path, "the words and labels")
    }
    guard let heldOut = again.heldOut else { throw SavedRun.nothingHeldOut }
    return (heldOut, again.training, "held out of \(configuration.data.path)")
  }

  static func prediction(by saved: SavedRun, of files: [ClassifierEncoding.File]) throws -> Prediction {
    let encoding = try saved.taggerEncoding()
    let words = try TaggedWords.unlabelled(of: files)
    let tokens = try encoding.unlabelledTokens(words)
    let timesteps = try TaggedTokens.timesteps(for: [tokens], most: 0)
    let source = TaggedBatches(
      tokens, globalBatch: saved.configuration.batch.sequences, timesteps: timesteps, shuffleSeed: nil)
    return Prediction(timesteps: timesteps) { model, _ in
      let said = try model.classifyTimesteps(source, lengths: words.lengths).said
      return try said.indices.map { index in
        struct Said: Encodable {
          let name: String
          let words: [String]
          let labels: [String]
          let probabilities: [Float]
        }
        return try SortedJSON.text(
          Said(
            name: words.names[index], words: words[index].map(\.text),
            labels: said[index].map { encoding.classes[$0.class] }, probabilities: said[index].map(\.probability)))
      }
    }
  }

  static func uses(of run: FinishedRun) -> [ShellCommand] {
    [run.command("predict", ShellCommand.path(run.dataPath))]
  }

  private static func read(_ configuration: Configuration) throws -> TaggingData {
    let data = configuration.data
    return try TaggingData(
      path: data.path, maximumVocabulary: data.vocabulary, heldOut: data.heldOutRule(), seed: configuration.seed)
  }
}
