import Configuration
import DataParallel
import LSTM
import Problems
import Sequences

/// A task whose sequences are generated, each with an answer at its end or at every step, and when Hochreiter and
/// Schmidhuber (1997) call it learned.
package struct GeneratedTask<Element: BatchElement> {
  /// What it is called, such as "temporal order, task 6a".
  let name: String
  let configuration: Configuration
  let shape: ModelShape
  /// The most timesteps of a sequence.
  let timesteps: Int
  /// D, elements of a timestep.
  let width: Int
  /// Targets of a sequence.
  let targets: Int
  /// An answer is right where each of its numbers is nearer to its target than this.
  let tolerance: Float
  let criterion: Criterion
  /// The symbols as JSON, where they have names.
  let vocabulary: [UInt8]
  let example: GeneratedBatches<Element>.Generator

  package init(
    name: String, configuration: Configuration, shape: ModelShape, timesteps: Int, width: Int = 1, targets: Int = 1,
    tolerance: Float, criterion: Criterion, vocabulary: [UInt8] = [],
    example: @escaping GeneratedBatches<Element>.Generator
  ) {
    (self.name, self.configuration, self.shape) = (name, configuration, shape)
    (self.timesteps, self.width, self.targets) = (timesteps, width, targets)
    (self.tolerance, self.criterion, self.vocabulary, self.example) = (tolerance, criterion, vocabulary, example)
  }

  /// What must be right without exception.
  package enum Criterion {
    /// The last 2,000 sequences that were trained on.
    case trained
    /// 10,000 new sequences.
    case new
  }

  private var heldOut: Int { configuration.data.heldOutStrings }

  private func batches(_ examples: Range<Int>) -> GeneratedBatches<Element> {
    GeneratedBatches(
      examples, globalBatch: configuration.batch.sequences, timesteps: timesteps, width: width, targets: targets,
      example: example)
  }

  /// The first examples are held out, all others are trained on.
  package func data() -> RunData {
    RunData(
      shape: shape, timesteps: timesteps, training: batches(heldOut..<Int.max),
      validation: heldOut == 0 ? nil : batches(0..<heldOut), identity: DataIdentity(vocabulary: vocabulary, tokens: []),
      unit: unit.rawValue, measure: answersInNumbers ? "" : "nats"
    ) { model, step in heldOut == 0 ? nil : try result(model, step: step) }
  }

  /// What a saved model is evaluated on: the held-out sequences of its run.
  package func evaluation(of saved: SavedRun, on path: String?) throws -> EvaluationPlan {
    if let path {
      throw Problem(
        .badConfiguration, "task \(configuration.task.rawValue) has no files — expected no --data, got \(path)")
    }
    guard heldOut > 0 else {
      throw Problem(.badConfiguration, "the run held nothing out — expected data.heldOutStrings above 0, got 0")
    }
    try saved.check(input: shape.input, head: shape.head)
    return EvaluationPlan(timesteps: timesteps) { try result($0, step: saved.step) }
  }

  // MARK: The criterion

  private var answersInNumbers: Bool { if case .pooledNumbers = shape.head { true } else { false } }
  private var answersAtEveryStep: Bool { if case .everyStep = shape.head { true } else { false } }
  private var unit: GeneratedResult.Unit { answersAtEveryStep ? .symbol : .sequence }

  /// Held-out sequences and the last that were trained on, and whether the task is learned after `step` updates.
  private func result(_ model: any EvaluatedModel, step: Int) throws -> GeneratedResult {
    let (loss, wrong) = try measure(0..<heldOut, model)
    let sequences = step * configuration.batch.sequences
    let judged: GeneratedResult.Criterion
    switch criterion {
    case .trained:
      let last = min(2000, sequences)
      let misses = try measure(heldOut + sequences - last..<heldOut + sequences, model).wrong
      judged = .trained(wrong: misses, of: last)
    case .new: judged = .new
    }
    return GeneratedResult(
      name: name, unit: unit, isSquaredError: answersInNumbers, loss: loss,
      wrong: wrong, heldOut: heldOut, tolerance: tolerance, criterion: judged, trained: sequences)
  }

  /// The mean loss of some examples, and how many of them are wrong at their end. Every rank calls it.
  private func measure(
    _ examples: Range<Int>, _ model: any EvaluatedModel
  ) throws -> (loss: Double, wrong: Int) {
    let source = batches(examples)
    var right = 0
    let loss = try model.evaluate(source) { window in
      let indices = source.indices(atStep: window.step)
      for lane in window.lanes where lane < indices.count {
        let example = example(examples.lowerBound + indices[lane])
        let end = answersAtEveryStep ? example.labels.count - 1 : nil
        // Of several segments one has the end.
        if let end, !window.timesteps.contains(end) { continue }
        if isRight(Array(window.logits(t: end, lane: lane)), example) { right += 1 }
      }
    }
    return (loss, examples.count - (try model.sum(right)))
  }

  private func isRight(_ outputs: [Float], _ example: GeneratedExample<Element>) -> Bool {
    guard let label = example.labels.last else {
      return zip(outputs, example.values).allSatisfy { abs($0 - $1) < tolerance }
    }
    return softmax(outputs).enumerated().allSatisfy { abs($1 - ($0 == Int(label) ? 1 : 0)) < tolerance }
  }
}

/// A learning task whose data are generated.
protocol GeneratedLearning: LearningTask {
  associatedtype Element: BatchElement
  /// The task as it is configured.
  func task() throws -> GeneratedTask<Element>
}

extension GeneratedLearning {
  package func data() throws -> RunData { try task().data() }

  package func evaluation(of saved: SavedRun, on path: String?) throws -> EvaluationPlan {
    try task().evaluation(of: saved, on: path)
  }
}
