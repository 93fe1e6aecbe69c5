import ExactMath
import LSTM

/// The tensors of a model's flat parameters, each a run of consecutive numbers there, with the names that checkpoints
/// give them; an LSTM layer's one bias is `bias_ih`.
package struct ParameterTensors: Sendable {
  /// Their names, in memory order.
  package let names: [String]
  /// Where each one stands; together all parameters.
  package let ranges: [Range<Int>]

  /// The tensors of a model.
  package init(_ shape: ModelShape) {
    var tensors: [(name: String, end: Int)] = []
    if let embedding = shape.embeddingRange, !shape.isTied {
      tensors.append((ModelNames.embedding, embedding.upperBound))
    }
    for (index, layer) in shape.lstm.enumerated() {
      let range = shape.layerRange(index)
      tensors += [
        (ModelNames.inputWeight(shape.cellName(index)), range.lowerBound + layer.inputs * layer.columns),
        (ModelNames.recurrentWeight(shape.cellName(index)), range.upperBound - layer.columns),
        (ModelNames.inputBias(shape.cellName(index)), range.upperBound),
      ]
    }
    let output = shape.outputRange.lowerBound
    tensors += shape.outputTensors.map {
      ($0.name, output + $0.first + $0.count)
    }
    names = tensors.map(\.name)
    ranges = zip([0] + tensors.map(\.end), tensors.map(\.end)).map { $0..<$1 }
  }

  /// The XXH64 of each tensor's bytes.
  package func hashes(_ parameters: UnsafePointer<Float>) -> [UInt64] {
    ranges.map { range in
      XXHash64.hash(
        UnsafeRawBufferPointer(UnsafeBufferPointer(start: parameters + range.lowerBound, count: range.count)))
    }
  }

  /// The link of a chain of records: XXH64 of a step and its hashes, with the link before as the seed.
  package static func link(after previous: UInt64, step: Int, hashes: [UInt64]) -> UInt64 {
    XXHash64.hash([UInt64(step)] + hashes, seed: previous)
  }
}

/// A tensor of what stands above the layers.
struct OutputTensor {
  let name: String
  /// Its shape in a file.
  let shape: [Int]
  /// Its place in the part of the output.
  let first: Int
  /// Whether memory holds its transpose, which PyTorch has as `nn.Linear`'s weight.
  var isTransposed = false

  /// Its numbers.
  var count: Int { shape.reduce(1, *) }
}

extension ModelShape {
  /// The tensors of the output, in memory order: those of `nn.Linear`, or of `nn.AdaptiveLogSoftmaxWithLoss` with
  /// `head_bias=True`; with tied weights the embedding, for an adaptive softmax the rows that stand for tails, the bias.
  var outputTensors: [OutputTensor] {
    if isTied {
      let (V, H, J) = (classes, hidden, adaptive?.tails.count ?? 0)
      let tails = [OutputTensor(name: ModelNames.tails, shape: [J, H], first: V * H)]
      return [OutputTensor(name: ModelNames.embedding, shape: [V, H], first: 0)]
        + (J > 0 ? tails : [])
        + [OutputTensor(name: ModelNames.outputBias, shape: [outputClasses], first: (V + J) * H)]
    }
    func linear(_ name: String, _ inputs: Int, _ outputs: Int, first: Int) -> OutputTensor {
      OutputTensor(name: name, shape: [outputs, inputs], first: first, isTransposed: true)
    }
    let (weight, bias) =
      adaptive == nil
      ? (ModelNames.outputWeight, ModelNames.outputBias) : (ModelNames.headWeight, ModelNames.headBias)
    let tails = (adaptive?.tails ?? []).enumerated().flatMap { index, tail in
      [
        linear(ModelNames.tailProjection(index), hidden, tail.units, first: tail.projection.lowerBound),
        linear(
          ModelNames.tailWeight(index), tail.units, tail.classes.count,
          first: tail.weights.lowerBound),
      ]
    }
    return [
      linear(weight, outputs, outputClasses, first: 0),
      OutputTensor(name: bias, shape: [outputClasses], first: outputs * outputClasses),
    ] + tails
  }
}
