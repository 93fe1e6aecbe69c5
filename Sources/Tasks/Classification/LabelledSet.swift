import Configuration
import DataParallel
import Sequences

/// Labelled sequences on which a classifier is measured.
package struct LabelledSet {
  /// The sequences, each once.
  package let source: any SequenceSource & IndexedBatches
  private let labels: [Int32]
  private let encoding: ClassifierEncoding
  private let name: String
  /// What a bag of tokens reaches; nil for numbers, or without training data.
  private let bagOfTokens: Double?

  /// A set that is called `name`.
  package init(
    _ input: ClassifierInput, _ encoding: ClassifierEncoding, _ name: String, _ configuration: Configuration,
    timesteps: Int, training: ClassifierInput?
  ) {
    source = input.batches(globalBatch: configuration.batch.sequences, timesteps: timesteps, shuffleSeed: nil)
    labels = input.labels
    self.encoding = encoding
    self.name = name
    if case .tokens(let training) = training, case .tokens(let texts) = input, let vocabulary = encoding.vocabulary {
      bagOfTokens = NaiveBayes(training, vocabulary: vocabulary.count).accuracy(on: texts)
    } else {
      bagOfTokens = nil
    }
  }

  /// Every rank calls it.
  package func result(_ model: any EvaluatedModel) throws -> LabelResult {
    let (loss, outputs) = try model.outputs(source, sequences: labels.count)
    var confusion = ConfusionMatrix(classes: encoding.classes.count)
    for (label, row) in zip(labels, outputs.map(softmax)) {
      confusion.add(label: label, predicted: row.indices.max { row[$0] < row[$1] }!)
    }
    return LabelResult(
      set: name, sequences: labels.count, unit: .sequence, loss: loss, confusion: confusion, classes: encoding.classes,
      frequentClass: encoding.mostFrequentClass,
      baseline: bagOfTokens.map { .bagOfTokens(encoding.vocabulary!.kind, accuracy: $0) })
  }
}
