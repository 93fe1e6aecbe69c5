import Configuration
import DataParallel
import LSTM
import MPI
import Sequences

/// Everything in which one task differs from another. The commands know no task by its name: a new one is a type of
/// this kind and its line in `Configuration.Task.type`.
protocol LearningTask {
  /// Makes files that `data` then reads on every rank. Of each node one rank calls it, before the others go on.
  static func prepare(_ configuration: Configuration) throws
  /// The same for `evaluation`.
  static func prepareEvaluation(of saved: SavedRun, on path: String?) throws
  /// The data of a run, read or generated, and the model that learns them. Every rank makes the same.
  static func data(_ configuration: Configuration) throws -> RunData
  /// What a saved model is evaluated on: the data at `path`, or where that is nil what its run held out.
  static func evaluation(of saved: SavedRun, on path: String?) throws -> Evaluation
  /// Prints what is drawn from a saved model. Rank 0 alone calls it.
  static func sample(_ options: Sample, from saved: SavedRun, _ sampler: () throws -> Sampler) throws
  /// What a saved model says of new sequences.
  static func prediction(by saved: SavedRun, of files: [ClassifierEncoding.File]) throws -> Prediction
  /// Commands that go on from a finished run.
  static func nextCommands(_ configuration: Configuration, run path: String) -> [String]
}

extension Configuration.Task {
  /// What knows everything of the task.
  var type: any LearningTask.Type {
    switch self {
    case .reber: ReberLearning.self
    case .languageModel: LanguageModelLearning.self
    case .classification: ClassificationLearning.self
    case .tagging: TaggingLearning.self
    case .temporalOrder: TemporalOrderLearning.self
    case .adding, .multiplication: MarkedPairsLearning.self
    case .copy: CopyLearning.self
    case .forecasting: ForecastingLearning.self
    case .pianoRoll: PianoRollLearning.self
    }
  }
}

/// What a saved model is evaluated on, and how.
struct Evaluation {
  /// T of the windows.
  let timesteps: Int
  /// The result in lines of text. Every rank calls it and gets the same.
  let lines: (_ model: ShardedModel, _ world: World) throws -> [String]
}

/// Sequences that a model is to say something of.
struct Prediction {
  /// T of the windows.
  let timesteps: Int
  /// What the model says, a JSON object on each line, in the order of the sequences. Every rank calls it.
  let lines: (_ model: ShardedModel, _ world: World) throws -> [String]
}

extension LearningTask {
  /// How a finished run goes on; a cosine that ends with the run keeps its end, which must then be named.
  static func trainsOn(_ configuration: Configuration) -> String {
    let schedule = configuration.schedule
    let end = schedule.name == .cosine ? " --set schedule.end=\(schedule.end)" : ""
    return "the same command with --steps \(2 * configuration.training.steps)\(end)     # trains on"
  }

  /// How the run's model is evaluated: on what it held out, or on another file.
  static func evaluates(_ configuration: Configuration, run path: String) -> String {
    let data = configuration.data
    let holdsOut = data.validation != .none || !data.heldOut.isEmpty || data.folds > 0
    return "lstm-dist evaluate \(path)" + (holdsOut ? "" : " --data FILE")
  }

  static func prepare(_ configuration: Configuration) throws {}

  static func prepareEvaluation(of saved: SavedRun, on path: String?) throws {}

  static func sample(_ options: Sample, from saved: SavedRun, _ sampler: () throws -> Sampler) throws {
    throw Failure(
      "nothing can be drawn from this model — expected a language model or one of the Reber grammar, got task "
        + "\(saved.configuration.task.rawValue)", hint: nil, exitCode: 78)
  }

  static func prediction(by saved: SavedRun, of files: [ClassifierEncoding.File]) throws -> Prediction {
    throw Failure(
      "this model says no class, no labels and no forecast — expected task classification, tagging or forecasting, got "
        + "\(saved.configuration.task.rawValue)",
      hint: "sample draws from it, evaluate --data FILE computes its loss", exitCode: 78)
  }
}
