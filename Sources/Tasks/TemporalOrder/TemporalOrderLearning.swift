import Configuration
import LSTM
import Sequences

/// The order of symbols that stand far apart: experiment 6 of Hochreiter and Schmidhuber (1997).
struct TemporalOrderLearning: GeneratedLearning {
  let configuration: Configuration

  func task() throws -> GeneratedTask<Int32> {
    let (order, model, seed) = (TemporalOrder(configuration), configuration.model, configuration.seed)
    return GeneratedTask(
      name: "temporal order, task \(order == .two ? "6a" : "6b")", configuration: configuration,
      shape: ModelShape(
        input: .tokens(vocabulary: TemporalOrder.vocabulary.count, embedding: model.embedding), hidden: model.hidden,
        layers: model.layers, head: .pooled(classes: order.classes.count)),
      timesteps: TemporalOrder.lengths.upperBound, tolerance: TemporalOrder.tolerance, criterion: .trained,
      vocabulary: Array(try TemporalOrder.vocabulary.json())
    ) { index in
      let (tokens, label) = order.example(seed: seed, index: index)
      return GeneratedExample(tokens, label: label)
    }
  }
}

extension TemporalOrder {
  fileprivate init(_ configuration: Configuration) { self = configuration.data.relevantSymbols == 2 ? .two : .three }
}
