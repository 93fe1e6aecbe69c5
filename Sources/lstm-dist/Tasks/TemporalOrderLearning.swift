import Configuration
import DataParallel
import LSTM
import MPI
import Sequences

/// The order of symbols that stand far apart: experiment 6 of Hochreiter and Schmidhuber (1997).
enum TemporalOrderLearning: LearningTask {
  static func data(_ configuration: Configuration) throws -> RunData {
    let (task, timesteps) = (TemporalOrder(configuration), TemporalOrder.lengths.upperBound)
    let (heldOut, B) = (configuration.data.heldOutStrings, configuration.batch.sequences)
    let model = configuration.model
    let example = task.stream(seed: configuration.seed)
    return RunData(
      shape: ModelShape(
        input: .tokens(vocabulary: TemporalOrder.vocabulary.count, embedding: model.embedding), hidden: model.hidden,
        layers: model.layers, head: .lastStep(classes: task.classes.count)),
      timesteps: timesteps,
      training: GeneratedBatches.training(heldOut: heldOut, globalBatch: B, timesteps: timesteps, example: example),
      validation: heldOut == 0
        ? nil : GeneratedBatches.evaluation(heldOut: heldOut, globalBatch: B, timesteps: timesteps, example: example),
      identity: DataIdentity(vocabulary: Array(try TemporalOrder.vocabulary.json()), tokens: []), unit: "sequence"
    ) { model, _ in
      heldOut == 0 ? [] : [""] + (try result(task, configuration, model))
    }
  }

  static func evaluation(of saved: SavedRun, on path: String?) throws -> Evaluation {
    let (configuration, task) = (saved.configuration, TemporalOrder(saved.configuration))
    if let path {
      throw Failure("task temporal-order has no files — expected no --data, got \(path)", hint: nil, exitCode: 78)
    }
    guard configuration.data.heldOutStrings > 0 else { throw SavedRun.nothingHeldOut }
    try saved.checkHead(.lastStep(classes: task.classes.count), vocabulary: TemporalOrder.vocabulary)
    return Evaluation(timesteps: TemporalOrder.lengths.upperBound) { model, _ in
      try result(task, configuration, model)
    }
  }

  /// By the paper's criterion a sequence is right where each output is less than 0.3 away from its target of 0 or 1.
  private static func result(
    _ task: TemporalOrder, _ configuration: Configuration, _ model: ShardedModel
  ) throws -> [String] {
    let heldOut = configuration.data.heldOutStrings
    let example = task.stream(seed: configuration.seed)
    let source = GeneratedBatches.evaluation(
      heldOut: heldOut, globalBatch: configuration.batch.sequences, timesteps: TemporalOrder.lengths.upperBound,
      example: example)
    let (loss, probabilities) = try model.classify(source, sequences: heldOut)
    let right = (0..<heldOut).count { index in
      let label = Int(example(index).label)
      return probabilities[index].enumerated().allSatisfy { output, probability in
        abs(probability - (output == label ? 1 : 0)) < TemporalOrder.tolerance
      }
    }
    return [
      "temporal order, task \(task == .two ? "6a" : "6b") of Hochreiter and Schmidhuber (1997)",
      "  loss: \(loss) nats a sequence",
      "  \(heldOut - right) of \(heldOut) held-out sequences wrong, an output \(TemporalOrder.tolerance) or more off",
    ]
  }

  static func nextCommands(_ configuration: Configuration, run path: String) -> [String] {
    [
      "lstm-dist inspect \(path)", "lstm-dist evaluate \(path)",
      "the same command with --steps \(2 * configuration.training.steps)     # trains on",
    ]
  }
}

extension TemporalOrder {
  fileprivate init(_ configuration: Configuration) { self = configuration.data.relevantSymbols == 2 ? .two : .three }

  fileprivate func stream(seed: UInt64) -> GeneratedBatches<Int32>.Generator {
    { index in
      let (tokens, label) = example(seed: seed, index: index)
      return GeneratedExample(tokens, label: label)
    }
  }
}
