import Configuration
import LSTM
import Sequences

/// The first symbol of a long sequence, said again at its end: experiment 2 of Hochreiter and Schmidhuber (1997).
struct CopyLearning: GeneratedLearning {
  let configuration: Configuration

  func task() throws -> GeneratedTask<Int32> {
    let (data, model, seed) = (configuration.data, configuration.model, configuration.seed)
    let copy = try DistantSymbol(DistantSymbol.Variant(data), p: data.symbols)
    let saysEveryNext = data.variant != .c
    let head: ModelShape.Head = saysEveryNext ? .everyStep(classes: copy.symbols) : .pooled(classes: 2)
    return GeneratedTask(
      name: "copy, task \(data.variant.rawValue), p = \(copy.p)" + (saysEveryNext ? "" : ", q = \(data.shortest)"),
      configuration: configuration,
      shape: ModelShape(
        input: .tokens(vocabulary: copy.symbols, embedding: model.embedding), hidden: model.hidden,
        layers: model.layers, head: head),
      timesteps: copy.longest - 1, targets: saysEveryNext ? copy.p : 1, tolerance: copy.tolerance, criterion: .new
    ) { index in
      let tokens = copy.example(seed: seed, index: index)
      if saysEveryNext { return GeneratedExample(next: tokens) }
      return GeneratedExample(tokens.dropLast(), label: tokens.last! - copy.x)
    }
  }
}

extension DistantSymbol.Variant {
  fileprivate init(_ data: Configuration.Data) {
    self =
      switch data.variant {
      case .a: .regular
      case .b: .random
      case .c: .randomLength(least: data.shortest)
      }
  }
}
