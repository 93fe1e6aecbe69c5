import Configuration
import DataParallel
import LSTM
import Problems
import Runs

/// What a task must know of a saved model, without its parameters.
package struct SavedRun: Sendable {
  package let shape: ModelShape
  /// The data's vocabulary or encoding, as JSON.
  let vocabulary: [UInt8]
  package let configuration: Configuration
  /// Updates that the model has learned by.
  package let step: Int
  /// Its checkpoint, for messages.
  let path: String

  package init(shape: ModelShape, vocabulary: [UInt8], configuration: Configuration, step: Int, path: String) {
    (self.shape, self.vocabulary, self.configuration) = (shape, vocabulary, configuration)
    (self.step, self.path) = (step, path)
  }

  /// The run of a checkpoint whose model has been read.
  package init(_ model: SavedModel, _ checkpoint: Checkpoint) throws {
    self.init(
      shape: model.shape, vocabulary: model.vocabulary,
      configuration: try Configuration(yaml: checkpoint.manifest.configuration, name: checkpoint.path),
      step: checkpoint.manifest.step, path: checkpoint.path)
  }

  /// The same for files that are written otherwise, such as with another `data.separator`.
  package func reading(_ overrides: [Configuration.Override]) throws(Problem) -> SavedRun {
    SavedRun(
      shape: shape, vocabulary: vocabulary, configuration: try configuration.reading(overrides, name: path), step: step,
      path: path)
  }

  // MARK: Whether the model fits its task

  /// Throws unless the model has this input and this head.
  func check(input: ModelShape.Input, head: ModelShape.Head) throws {
    guard shape.input == input, shape.head == head else { throw unfit("task", "\(input), \(head)") }
  }

  func unfit(_ what: String, _ expected: String) -> Problem {
    Problem(
      .badData, "\(what) does not fit the model", expected: expected, got: "\(shape.input), \(shape.head)", at: path)
  }

  // MARK: What it is evaluated on

  /// The data that a run names are not those that it was trained on.
  func otherData(_ what: String) -> Problem {
    Problem(
      .badData, "the data has changed since the run began", expected: "\(what) of the checkpoint", got: "other ones",
      at: configuration.data.path, hint: "restore the data, or name others with --data")
  }

  static let nothingHeldOut = Problem(
    .badConfiguration, "the run held nothing out — expected data to evaluate on", hint: "name them with --data PATH")
}
