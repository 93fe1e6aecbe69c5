import Configuration
import DataParallel
import MPI
import Sequences

/// Labelled sequences on which a classifier is measured.
struct LabelledSet {
  /// The sequences, each once.
  let source: any SequenceSource & IndexedBatches
  private let labels: [Int32]
  private let encoding: ClassifierEncoding
  private let name: String
  /// What a bag of tokens reaches; nil for numbers, or without training data.
  private let bagOfTokens: Double?

  /// A set that is called `name`.
  init(
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

  /// Loss, accuracy beside that of always saying the most frequent class and of a bag of tokens (naive Bayes), F1 of
  /// each class, confusion matrix. Every rank calls it.
  func result(_ model: Replica, _ world: World) throws -> [String] {
    let (loss, probabilities) = try model.classify(source, sequences: labels.count)
    var confusion = ConfusionMatrix(classes: encoding.classes.count)
    for (label, row) in zip(labels, probabilities) {
      confusion.add(label: label, predicted: row.indices.max { row[$0] < row[$1] }!)
    }
    let bag = bagOfTokens.map { "; bag of \(encoding.vocabulary!.kind) (naive Bayes): \(rounded($0, 4))" } ?? ""
    return ["sequences: \(name), \(labels.count)", "loss: \(loss) nats a sequence"]
      + confusion.summary(always: encoding.mostFrequentClass, encoding.classes, besides: bag)
      + confusion.tables(encoding.classes, unit: "sequences")
  }
}
