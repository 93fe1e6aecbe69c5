import Configuration
import LSTM
import Sequences
import Tasks
import TestSupport
import Testing

/// What all generated tasks share, with one whose example i is the number i.
struct GeneratedTaskTests {
  private func configuration(heldOut: Int = 5) throws -> Configuration {
    try Configuration(
      yaml: "task: temporal-order\ndata: {heldOutStrings: \(heldOut)}\nbatch: {sequences: 4}", name: "test")
  }

  /// Whether i is odd.
  private func parity(_ criterion: GeneratedTask<Int32>.Criterion = .new) throws -> GeneratedTask<Int32> {
    GeneratedTask(
      name: "parity", configuration: try configuration(),
      shape: ModelShape(
        input: .tokens(vocabulary: 100, embedding: 2), hidden: 2, layers: 1, head: .pooled(classes: 2)),
      timesteps: 1, tolerance: 0.3, criterion: criterion, vocabulary: [7]
    ) { index in
      GeneratedExample([Int32(index)], label: Int32(index % 2))
    }
  }

  private func result<Element>(
    _ task: GeneratedTask<Element>, step: Int = 3, _ answer: @escaping HandSetModel.Answer
  ) throws -> GeneratedResult {
    let data = task.data()
    let saved = SavedRun(
      shape: data.shape, vocabulary: data.identity.vocabulary, configuration: try configuration(), step: step,
      path: "a checkpoint")
    return try #require(
      try task.evaluation(of: saved, on: nil).measure(HandSetModel(data.shape, answer)) as? GeneratedResult)
  }

  private func tokens(_ source: any SequenceSource, step: Int) -> [Int32] {
    let batch = SequenceBatch.allocate(timesteps: 1, lanes: 4, inputs: .tokens, targets: .pooled)
    defer { batch.deallocate() }
    source.fill(step: step, lanes: 0..<4, batch: batch)
    return (0..<4).filter { batch.lengths[$0] > 0 }.map { batch.tokens[$0] }
  }

  @Test func theFirstExamplesAreHeldOutAndAllOthersTrainedOnOnce() throws {
    let data = try parity().data()
    let validation = try #require(data.validation)
    #expect((0..<validation.stepsPerEpoch).map { tokens(validation, step: $0) } == [[0, 1, 2, 3], [4]])
    #expect((0..<3).map { tokens(data.training, step: $0) } == [[5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]])
    #expect(data.identity.vocabulary == [7] && data.unit == "sequence" && data.measure == "nats")
  }

  /// Wrong for all that is trained on, of which there are 3 steps of 4, right for what is held out; and the reverse.
  @Test(arguments: [true, false]) func theCriterionSaysWhichExamplesAreJudged(knowsHeldOut: Bool) throws {
    let answer: HandSetModel.Answer = { read in
      let isOdd = Int(read[0]) % 2 == 1
      return isOdd == ((read[0] < 5) == knowsHeldOut) ? [0, 20] : [20, 0]
    }
    let trained = try result(parity(.trained), answer)
    #expect(trained.criterion == .trained(wrong: knowsHeldOut ? 12 : 0, of: 12))
    #expect(trained.wrong == (knowsHeldOut ? 0 : 5) && trained.heldOut == 5 && trained.trained == 12)
    let new = try result(parity(), answer)
    #expect(new.criterion == .new && new.wrong == trained.wrong && new.name == "parity" && new.tolerance == 0.3)
  }

  @Test(arguments: [(0.09, 0), (0.11, 5)] as [(Float, Int)])
  func anAnswerInNumbersIsRightWithinTheTolerance(error: Float, wrong: Int) throws {
    let task = GeneratedTask<Float>(
      name: "identity", configuration: try configuration(),
      shape: ModelShape(input: .numbers(2), hidden: 2, layers: 1, head: .pooledNumbers(1)), timesteps: 1, width: 2,
      tolerance: 0.1, criterion: .new
    ) { index in
      GeneratedExample([Float(index), 0], values: [Float(index)])
    }
    #expect(task.data().measure.isEmpty && task.data().unit == "sequence")
    let result = try result(task) { [$0[0] + error] }
    #expect(result.wrong == wrong && result.isSquaredError && result.unit == .sequence)
    #expect(isClose(result.loss, Double(error * error), 1e-5))
  }
}
