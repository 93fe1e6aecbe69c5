import Configuration
import DataParallel
import LSTM
import Tasks
import TestSupport
import Testing
import TrainingLoop

/// What training is told of a configuration.
struct SetupTests {
  private func configuration(_ yaml: String) throws -> Configuration { try Configuration(yaml: yaml, name: "test") }

  /// Every key has a number of its own, so that none can stand for another.
  @Test func everyKeyOfTheUpdateComesToItsPlace() throws {
    let configuration = try configuration(
      """
      task: language-model
      data: {path: nowhere}
      seed: 19
      batch: {sequences: 12, steps: 30, shards: 6, accumulate: 3, reset: 0}
      model: {hidden: 5, layers: 1, dropout: 0.1, weightDropout: 0.2, embeddingDropout: 0.3, dropoutMask: sequence,
        activationPenalty: 2, temporalPenalty: 3}
      optimizer: {name: sgd, learningRate: 0.7, momentum: 0.5, clip: 4, clipBy: element, average: from-step, averageFrom: 23}
      training: {recompute: 10, patience: 8}
      distributed: {reduction: mpi, sharedMemory: off, embedding: dense}
      """)
    let shape = ModelShape.languageModel(vocabulary: 3, embedding: 2, hidden: 5, layers: 1)
    let setup = TrainingSetup(configuration, shape: shape, timesteps: 33)
    #expect(setup.shape == shape && setup.timesteps == 33 && setup.segment == 10 && setup.seed == 19)
    #expect(setup.globalBatch == 12 && setup.shards == 6 && setup.accumulate == 3)
    #expect(setup.dropout == 0.1 && setup.weightDropout == 0.2 && setup.embeddingDropout == 0.3)
    #expect(setup.dropoutMask == .sequence && setup.penalty == ActivationPenalty(activation: 2, temporal: 3))
    #expect(setup.rule.learningRate == 0.7 && setup.rule.moments == ["momentum_buffer"])
    #expect(setup.clip == .element(4) && setup.averaging == .from(step: 23) && setup.patience == 8)
    #expect(setup.reduction == .mpi && setup.sharedMemory == .off && setup.embeddingRows == .dense)
  }

  /// What is refused before data are read, which may be large.
  @Test func theLeastModelOfATaskHasItsLayersAndNoData() throws {
    let text = TrainingSetup(
      leastOf: try configuration(
        "task: language-model\ndata: {path: nowhere}\nmodel: {embedding: 7, hidden: 9, layers: 3}\nbatch: {steps: 11}"))
    #expect(text.shape.input == .tokens(vocabulary: 1, embedding: 7) && text.timesteps == 11)
    #expect(text.shape.hidden == 9 && text.shape.lstm.count == 3)
    let numbers = TrainingSetup(leastOf: try configuration("task: forecasting\ndata: {path: nowhere, target: a}"))
    #expect(numbers.shape.input == .numbers(1) && numbers.timesteps == 1)
  }

  @Test func aFileIsInMemoryAsAWholeButForTexts() throws {
    try withDirectory { directory in
      try put([UInt8](repeating: 1, count: 321), "\(directory)/file")
      for (task, bytes) in [("forecasting", 321), ("piano-roll", 321), ("language-model", 0)] {
        #expect(try configuration("task: \(task)\ndata: {path: \(directory)/file}").leastDataBytes == bytes, "\(task)")
      }
      for path in ["missing", "."] {
        #expect(try configuration("task: piano-roll\ndata: {path: \(directory)/\(path)}").leastDataBytes == 0)
      }
    }
  }

  @Test(arguments: [
    ("stop", NonFinitePolicy.stop), ("skip", .skip(inARow: 7)),
    ("rollback", .rollBack(times: 5, learningRateFactor: 0.25)),
  ])
  func aStepThatIsNotFiniteIsTreatedAsTheConfigurationSays(policy: String, expected: NonFinitePolicy) throws {
    let read = try configuration(
      "task: reber\nnonFinite: {policy: \(policy), skips: 7, rollbacks: 5, learningRateFactor: 0.25}")
    #expect(NonFinitePolicy(read.nonFinite) == expected)
  }
}
