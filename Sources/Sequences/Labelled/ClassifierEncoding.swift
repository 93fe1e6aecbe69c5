import Files
import Foundation
import Problems

/// How a classifier of sequences, or of their timesteps, reads them and what its classes are called: fitted on training
/// data alone and stored with the model, because new data must be read as those were.
package struct ClassifierEncoding: Codable, Equatable, Sendable {
  /// The names of the classes.
  package let classes: [String]
  /// The training sequences, or timesteps, of each class.
  package let trainingCounts: [Int]
  /// The tokens of texts; nil for numbers.
  package let vocabulary: Vocabulary?
  /// Mean and deviation of numbers; nil for texts.
  package let normalization: Normalization?
  /// Samples a second; nil for what is not sound.
  package let rate: Int?

  /// D of numbers; nil for texts.
  package var width: Int? { normalization?.mean.count }

  /// The class with the most of them.
  package var mostFrequentClass: Int { trainingCounts.indices.max { trainingCounts[$0] < trainingCounts[$1] } ?? 0 }

  init(classes: [String], trainingCounts: [Int], vocabulary: Vocabulary) {
    (self.classes, self.trainingCounts) = (classes, trainingCounts)
    (self.vocabulary, normalization, rate) = (vocabulary, nil, nil)
  }

  init(_ training: LabelledTexts, vocabulary: Vocabulary) {
    self.init(classes: training.classes, trainingCounts: training.classCounts, vocabulary: vocabulary)
  }

  init(_ training: MeasuredValues, rate: Int?) {
    (classes, trainingCounts) = (training.classes, training.classCounts)
    (vocabulary, normalization, self.rate) = (nil, training.normalization(), rate)
  }

  // MARK: JSON

  /// The encoding as one JSON object, the same bytes for the same encoding.
  package func json() throws -> Data { try SortedJSON.data(self) }

  /// The encoding in a JSON object; `name` is what an error calls the file. Exit code 65 for anything malformed.
  package init(json: Data, name: String) throws(Problem) {
    self = try SortedJSON.read(json, what: "encoding", keys: "classes and trainingCounts", name: name)
    let numbers = normalization.map { !$0.mean.isEmpty && $0.isUsable }
    guard classes.count >= 2, Set(classes.map(ExactString.init)).count == classes.count,
      trainingCounts.count == classes.count, (vocabulary == nil) != (normalization == nil), numbers != false,
      rate.map({ $0 >= 1 && normalization != nil }) != false
    else {
      throw .data(
        "encoding of a classifier — expected at least 2 different classes with a count each, and either a vocabulary or a "
          + "normalization, got something else (\(name))")
    }
  }

  // MARK: Reading as in training

  /// Texts as tokens.
  /// - Precondition: the model reads texts.
  func tokens(_ texts: LabelledTexts) throws(Problem) -> LabelledTokens { try texts.tokens(in: vocabulary!) }

  /// Numbers, normalized. As many to a timestep as in training, or an error with exit code 65.
  /// - Precondition: the model reads numbers.
  func values(_ values: MeasuredValues, name: String) throws(Problem) -> LabelledValues {
    guard values.width == width else {
      throw .data(
        "numbers of a timestep — expected \(width!) as in training, got \(values.width) (\(name))")
    }
    return try values.normalized(by: normalization!)
  }
}
