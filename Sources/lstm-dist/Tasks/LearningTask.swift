import Configuration
import DataParallel
import MPI
import Problems
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
  /// What can be done with the model of a finished run, besides evaluating it and training on.
  static func uses(of run: FinishedRun) -> [ShellCommand]
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
  let lines: (_ model: Replica, _ world: World) throws -> [String]
}

/// Sequences that a model is to say something of.
struct Prediction {
  /// T of the windows.
  let timesteps: Int
  /// What the model says, a JSON object on each line, in the order of the sequences. Every rank calls it.
  let lines: (_ model: Replica, _ world: World) throws -> [String]
}

extension LearningTask {
  /// Commands that go on from a finished run.
  static func nextCommands(_ run: FinishedRun) -> [ShellCommand] {
    uses(of: run) + [run.evaluates, run.trainsOn].compactMap(\.self)
  }

  static func uses(of run: FinishedRun) -> [ShellCommand] { [run.command("inspect")] }

  static func prepare(_ configuration: Configuration) throws {}

  static func prepareEvaluation(of saved: SavedRun, on path: String?) throws {}

  static func sample(_ options: Sample, from saved: SavedRun, _ sampler: () throws -> Sampler) throws {
    throw Problem(
      .badConfiguration,
      "nothing can be drawn from this model — expected a language model or one of the Reber grammar, got task "
        + "\(saved.configuration.task.rawValue)")
  }

  static func prediction(by saved: SavedRun, of files: [ClassifierEncoding.File]) throws -> Prediction {
    throw Problem(
      .badConfiguration,
      "this model says no class, no labels and no forecast — expected task classification, tagging or forecasting, got "
        + "\(saved.configuration.task.rawValue)", hint: "evaluate measures it")
  }
}
