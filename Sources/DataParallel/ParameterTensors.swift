import Kernels
import LSTM

/// The tensors of a model's flat parameters, each a run of consecutive numbers there, with the names that checkpoints
/// give them; an LSTM layer's one bias is `bias_ih`.
public struct ParameterTensors: Sendable {
  /// Their names, in memory order.
  public let names: [String]
  /// Where each one stands; together all parameters.
  public let ranges: [Range<Int>]

  /// The tensors of a model.
  public init(_ shape: ModelShape) {
    var tensors: [(name: String, end: Int)] = []
    if let embedding = shape.embeddingRange { tensors.append(("embedding.weight", embedding.upperBound)) }
    for (index, layer) in shape.lstm.enumerated() {
      let range = shape.layerRange(index)
      tensors += [
        ("lstm.weight_ih_l\(index)", range.lowerBound + layer.inputs * layer.columns),
        ("lstm.weight_hh_l\(index)", range.upperBound - layer.columns),
        ("lstm.bias_ih_l\(index)", range.upperBound),
      ]
    }
    tensors += [
      ("output.weight", shape.outputRange.upperBound - shape.classes), ("output.bias", shape.outputRange.upperBound),
    ]
    names = tensors.map(\.name)
    ranges = zip([0] + tensors.map(\.end), tensors.map(\.end)).map { $0..<$1 }
  }

  /// The XXH64 of each tensor's bytes.
  public func hashes(_ parameters: UnsafePointer<Float>) -> [UInt64] {
    ranges.map { range in
      XXHash64.hash(
        UnsafeRawBufferPointer(UnsafeBufferPointer(start: parameters + range.lowerBound, count: range.count)))
    }
  }

  /// The link of a chain of records: XXH64 of a step and its hashes, with the link before as the seed.
  public static func link(after previous: UInt64, step: Int, hashes: [UInt64]) -> UInt64 {
    XXHash64.hash([UInt64(step)] + hashes, seed: previous)
  }
}
