import Configuration
import Problems
import Sequences

/// Everything in which one task differs from another: a value made from a configuration. A new task is a folder with a
/// type of this kind, and its line in `Configuration.learningTask`.
package protocol LearningTask: Sendable {
  var configuration: Configuration { get }
  /// Makes files that `data` then reads on every rank. One rank of each node calls it, before the others go on;
  /// `notify` gets what a user should know of it.
  func prepare(_ notify: (String) -> Void) throws
  /// The same for `evaluation`.
  func prepareEvaluation(of saved: SavedRun, on path: String?, _ notify: (String) -> Void) throws
  /// The data of a run, read or generated, and the shape of the model that learns them. Every rank makes the same.
  func data() throws -> RunData
  /// How a saved model is evaluated: on the data at `path`, or where that is nil on what its run held out.
  func evaluation(of saved: SavedRun, on path: String?) throws -> EvaluationPlan
  /// How a saved model predicts new sequences. Throws for a task that predicts nothing.
  func prediction(by saved: SavedRun, of files: [ClassifierEncoding.File]) throws -> PredictionPlan
  /// How sequences are drawn from a saved model. Throws for a task that draws nothing.
  func sampling(from saved: SavedRun, _ options: SamplingOptions) throws -> SamplingPlan
  /// What a trained model is good for, besides evaluating it and training on.
  var uses: [ModelUse] { get }
}

extension LearningTask {
  package func prepare(_ notify: (String) -> Void) throws {}

  package func prepareEvaluation(of saved: SavedRun, on path: String?, _ notify: (String) -> Void) throws {}

  package func prediction(by saved: SavedRun, of files: [ClassifierEncoding.File]) throws -> PredictionPlan {
    throw Problem(
      .badConfiguration,
      "this model says no class, no labels and no forecast — expected task classification, tagging or forecasting, got "
        + "\(configuration.task.rawValue)", hint: "evaluate measures it")
  }

  package func sampling(from saved: SavedRun, _ options: SamplingOptions) throws -> SamplingPlan {
    throw Problem(
      .badConfiguration,
      "nothing can be drawn from this model — expected a language model or one of the Reber grammar, got task "
        + "\(configuration.task.rawValue)")
  }

  package var uses: [ModelUse] { [.inspect] }
}

/// A command that uses a trained model.
package enum ModelUse: Equatable, Sendable {
  case inspect
  /// `length` in tokens or strings; nil for the usual one.
  case sample(length: Int?)
  /// The file to predict.
  case predict(path: String)
}

extension Configuration.Data {
  /// What is measured where nothing else is named: the file of validation data, or what was held out of the others.
  var heldOutName: String { if case .file(let path) = validation { path } else { "held out of \(path)" } }

  /// Data in the form of the run's own: what it held out in a place of its own, or what it was trained on.
  var heldOutPath: String { if case .file(let path) = validation { path } else { path } }
}
