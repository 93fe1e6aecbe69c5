import Foundation
import LSTM
import Problems
import Sequences

extension SavedRun {
  /// The tokens of a model that reads them and predicts the next.
  func languageModelVocabulary() throws -> Vocabulary {
    let vocabulary = try Vocabulary(json: Data(vocabulary), name: path)
    let head = ModelShape.Head.everyStep(classes: vocabulary.count)
    guard shape.vocabulary == vocabulary.count, shape.head == head else {
      throw unfit("vocabulary", "a model that reads \(vocabulary.count) tokens and has the head \(head)")
    }
    return vocabulary
  }

  /// The same of a model of texts, which have no symbols.
  func textVocabulary() throws -> Vocabulary {
    let vocabulary = try languageModelVocabulary()
    guard vocabulary.kind != .symbols else {
      throw Problem(
        .badData, "vocabulary does not fit the task", expected: "bytes, characters or words", got: "symbols", at: path)
    }
    return vocabulary
  }
}
