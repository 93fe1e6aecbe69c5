import Configuration
import Sequences

/// Tagged sequences on which a tagger is measured.
package struct TaggedSet {
  /// The sequences, each once.
  package let source: TaggedBatches
  private let sequences: TaggedTokens
  private let encoding: ClassifierEncoding
  private let name: String
  /// What each word alone reaches; nil without training data.
  private let wordsAlone: Double?

  /// A set that is called `name`.
  package init(
    _ sequences: TaggedTokens, _ encoding: ClassifierEncoding, _ name: String, _ configuration: Configuration,
    timesteps: Int, training: TaggedTokens?
  ) {
    source = TaggedBatches(
      sequences, globalBatch: configuration.batch.sequences, timesteps: timesteps, shuffleSeed: nil)
    self.sequences = sequences
    self.encoding = encoding
    self.name = name
    wordsAlone = training.map {
      FrequentLabels($0, vocabulary: encoding.vocabulary!.count, labels: encoding.classes.count)
        .accuracy(on: sequences)
    }
  }

  /// Every rank calls it.
  package func result(_ model: any EvaluatedModel) throws -> LabelResult {
    let (loss, said) = try model.classifyTimesteps(source, lengths: sequences.lengths)
    var confusion = ConfusionMatrix(classes: encoding.classes.count)
    for (word, said) in zip(sequences.elements, said.joined()) {
      confusion.add(label: word.label, predicted: said.class)
    }
    return LabelResult(
      set: name, sequences: sequences.count, unit: .word, loss: loss, confusion: confusion, classes: encoding.classes,
      frequentClass: encoding.mostFrequentClass, baseline: wordsAlone.map { .frequentLabels(accuracy: $0) })
  }
}
