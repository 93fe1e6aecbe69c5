import Configuration
import Tasks
import TestSupport
import Testing

/// The list of tasks.
struct TaskListTests {
  @Test(arguments: Configuration.Task.allCases)
  func everyTaskOfTheConfigurationIsInTheList(task: Configuration.Task) throws {
    let path = task.readsFiles ? "\ndata: {path: nowhere}" : ""
    let configuration = try Configuration(yaml: "task: \(task.rawValue)\(path)", name: "test")
    #expect(configuration.learningTask.configuration.task == task)
    #expect("\(type(of: configuration.learningTask))" == Self.names[task])
  }

  private static let names: [Configuration.Task: String] = [
    .reber: "ReberLearning", .languageModel: "LanguageModelLearning", .classification: "ClassificationLearning",
    .tagging: "TaggingLearning", .temporalOrder: "TemporalOrderLearning", .adding: "MarkedPairsLearning",
    .multiplication: "MarkedPairsLearning", .copy: "CopyLearning", .forecasting: "ForecastingLearning",
    .pianoRoll: "PianoRollLearning",
  ]
}

extension Configuration.Task {
  fileprivate var readsFiles: Bool {
    [.languageModel, .classification, .tagging, .forecasting, .pianoRoll].contains(self)
  }
}

/// What some tasks cannot do.
struct UnsupportedUseTests {
  @Test func aTaskThatPredictsOrDrawsNothingSaysWhichDo() throws {
    let learning = try task("task: adding\ndata: {shortest: 30}")
    let saved = learning.saved(try learning.data())
    #expect(learning.uses == [.inspect])
    let prediction = failure { _ = try learning.prediction(by: saved, of: []) }
    #expect(prediction?.exitCode == 78 && prediction?.message.contains("got adding") == true)
    let sampling = failure { _ = try learning.sampling(from: saved, SamplingOptions()) }
    #expect(sampling?.exitCode == 78 && sampling?.message.contains("got task adding") == true)
  }

  @Test func aModelOfAnotherShapeIsRefused() throws {
    let learning = try task("task: adding\ndata: {shortest: 30}")
    let other = try task("task: temporal-order").data()
    let problem = failure { _ = try learning.evaluation(of: learning.saved(other), on: nil) }
    #expect(problem?.exitCode == 65)
    #expect(problem?.message.contains("task does not fit the model") == true)
  }

  @Test func withoutHeldOutSequencesThereIsNothingToEvaluateOn() throws {
    let learning = try task("task: temporal-order\ndata: {heldOutStrings: 0}")
    let data = try learning.data()
    #expect(data.validation == nil)
    #expect(try data.result(HandSetModel(data.shape) { _ in [0, 0, 0, 0] }, 5) == nil)
    #expect(failure { _ = try learning.evaluation(of: learning.saved(data), on: nil) }?.exitCode == 78)
  }
}
