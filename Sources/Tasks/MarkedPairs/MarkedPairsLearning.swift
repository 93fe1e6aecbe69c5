import Configuration
import LSTM
import Sequences

/// The sum or the product of two marked numbers of a long sequence: experiments 4 and 5 of Hochreiter and Schmidhuber
/// (1997).
struct MarkedPairsLearning: GeneratedLearning {
  let configuration: Configuration
  let operation: MarkedPairs.Operation

  func task() throws -> GeneratedTask<Float> {
    let pairs = try MarkedPairs(operation, shortest: configuration.data.shortest)
    let (model, seed) = (configuration.model, configuration.seed)
    return GeneratedTask(
      name: "\(operation.rawValue), task \(operation == .adding ? "4" : "5"), T = \(pairs.shortest)",
      configuration: configuration,
      shape: ModelShape(
        input: .numbers(2), hidden: model.hidden, layers: model.layers, head: .pooledNumbers(1)),
      timesteps: pairs.longest, width: 2, tolerance: MarkedPairs.tolerance, criterion: .trained
    ) { index in
      let (values, target) = pairs.example(seed: seed, index: index)
      return GeneratedExample(values, values: [target])
    }
  }
}
