import Configuration
import DataParallel
import LSTM
import MPI
import Sequences

/// The sum or the product of two marked numbers of a long sequence: experiments 4 and 5 of Hochreiter and Schmidhuber
/// (1997).
enum MarkedPairsLearning: LearningTask {
  static func data(_ configuration: Configuration) throws -> RunData {
    let task = try MarkedPairs(configuration)
    let (heldOut, model) = (configuration.data.heldOutStrings, configuration.model)
    return RunData(
      shape: ModelShape(
        input: .numbers(2), hidden: model.hidden, layers: model.layers, head: .lastStepNumbers(1)),
      timesteps: task.longest,
      training: GeneratedBatches<Float>.training(
        heldOut: heldOut, globalBatch: configuration.batch.sequences, timesteps: task.longest, width: 2,
        example: task.stream(seed: configuration.seed)),
      validation: heldOut == 0 ? nil : task.heldOut(configuration),
      identity: DataIdentity(vocabulary: [], tokens: []), unit: "sequence", measure: ""
    ) { model, _ in
      heldOut == 0 ? [] : [""] + (try result(task, configuration, model))
    }
  }

  static func evaluation(of saved: SavedRun, on path: String?) throws -> Evaluation {
    let (configuration, task) = (saved.configuration, try MarkedPairs(saved.configuration))
    if let path {
      throw Failure(
        "task \(configuration.task.rawValue) has no files — expected no --data, got \(path)", hint: nil, exitCode: 78)
    }
    guard configuration.data.heldOutStrings > 0 else { throw SavedRun.nothingHeldOut }
    try saved.checkNumbers(2, head: .lastStepNumbers(1))
    return Evaluation(timesteps: task.longest) { model, _ in try result(task, configuration, model) }
  }

  /// By the paper's criterion a sequence is right where the output is less than 0.04 away from the target.
  private static func result(
    _ task: MarkedPairs, _ configuration: Configuration, _ model: ShardedModel
  ) throws -> [String] {
    let heldOut = configuration.data.heldOutStrings
    let (loss, outputs) = try model.outputs(task.heldOut(configuration), sequences: heldOut)
    let right = (0..<heldOut).count {
      abs(outputs[$0][0] - task.example(seed: configuration.seed, index: $0).target) < MarkedPairs.tolerance
    }
    return [
      "\(task.operation.rawValue), T = \(task.shortest), of Hochreiter and Schmidhuber (1997)",
      "  loss: \(loss), the mean squared error",
      "  \(heldOut - right) of \(heldOut) held-out sequences wrong, \(MarkedPairs.tolerance) or more off",
    ]
  }

  static func nextCommands(_ configuration: Configuration, run path: String) -> [String] {
    [
      "lstm-dist inspect \(path)", "lstm-dist evaluate \(path)",
      "the same command with --steps \(2 * configuration.training.steps)     # trains on",
    ]
  }
}

extension MarkedPairs {
  fileprivate init(_ configuration: Configuration) throws {
    try self.init(configuration.task == .adding ? .adding : .multiplication, shortest: configuration.data.shortest)
  }

  fileprivate func stream(seed: UInt64) -> GeneratedBatches<Float>.Generator {
    { index in
      let (values, target) = example(seed: seed, index: index)
      return GeneratedExample(values, values: [target])
    }
  }

  fileprivate func heldOut(_ configuration: Configuration) -> GeneratedBatches<Float> {
    .evaluation(
      heldOut: configuration.data.heldOutStrings, globalBatch: configuration.batch.sequences, timesteps: longest,
      width: 2, example: stream(seed: configuration.seed))
  }
}
