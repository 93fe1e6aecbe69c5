import Foundation
import LSTM
import Sequences

extension SavedRun {
  /// How a model that predicts one class of a sequence reads it.
  func classifierEncoding() throws -> ClassifierEncoding {
    try encoding(of: "a whole sequence") { .pooled(classes: $0) }
  }

  /// How a model that predicts one class of each word reads them.
  func taggerEncoding() throws -> ClassifierEncoding {
    let encoding = try encoding(of: "every timestep") { .everyStep(classes: $0) }
    guard encoding.vocabulary?.kind == .words else { throw unfit("encoding", "a model that reads words") }
    return encoding
  }

  private func encoding(of what: String, _ head: (_ classes: Int) -> ModelShape.Head) throws -> ClassifierEncoding {
    let encoding = try ClassifierEncoding(json: Data(vocabulary), name: path)
    let classes = encoding.classes.count
    guard shape.vocabulary == encoding.vocabulary?.count, shape.head == head(classes),
      encoding.width == nil || encoding.width == shape.inputs
    else {
      throw unfit(
        "encoding",
        "a model that reads \(encoding.vocabulary.map { "\($0.count) tokens" } ?? "\(encoding.width!) numbers") and says one "
          + "of \(classes) classes of \(what)")
    }
    return encoding
  }
}
