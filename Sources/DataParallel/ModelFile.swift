import Checkpoints
import LSTM

/// A language model's flat parameters as the tensors of `model.safetensors`, with PyTorch's names, shapes and gate
/// order: those of a module with `embedding` (`nn.Embedding`), `lstm` (`nn.LSTM`) and `output` (`nn.Linear`).
/// Moments of an optimizer have the same form, with a prefix.
enum ModelFile {
  /// The tensors of flat memory in this form.
  static func tensors(
    _ flat: UnsafePointer<Float>, shape: LanguageModelShape, prefix: String = ""
  ) -> [TensorSource] {
    let (V, H) = (shape.vocabulary, shape.hidden)
    func source(_ name: String, _ shape: [Int], _ values: @escaping () -> [Float]) -> TensorSource {
      TensorSource(name: prefix + name, dtype: .float32, shape: shape) { write in
        try values().withUnsafeBytes { try write($0) }
      }
    }
    var tensors = [
      source("embedding.weight", [V, shape.embedding]) {
        Array(UnsafeBufferPointer(start: flat, count: shape.embeddingRange.count))
      }
    ]
    for (index, layer) in shape.lstm.enumerated() {
      let w = flat + shape.layerRange(index).lowerBound
      tensors += [
        source("lstm.weight_ih_l\(index)", [4 * H, layer.inputs]) {
          PyTorchLayout.exported(.input, of: w, shape: layer)
        },
        source("lstm.weight_hh_l\(index)", [4 * H, H]) { PyTorchLayout.exported(.recurrent, of: w, shape: layer) },
        source("lstm.bias_ih_l\(index)", [4 * H]) { PyTorchLayout.exported(.bias, of: w, shape: layer) },
        source("lstm.bias_hh_l\(index)", [4 * H]) { Array(repeating: 0, count: 4 * H) },
      ]
    }
    let output = flat + shape.outputRange.lowerBound
    return tensors + [
      source("output.weight", [V, H]) { PyTorchLayout.transposed(output, rows: H, columns: V) },
      source("output.bias", [V]) { Array(UnsafeBufferPointer(start: output + H * V, count: V)) },
    ]
  }

  /// Fills flat memory from a file in this form.
  /// - Throws: where a tensor is missing, or has another shape or dtype.
  static func read(
    _ file: TensorFile, into flat: UnsafeMutablePointer<Float>, shape: LanguageModelShape, prefix: String = ""
  ) throws {
    let (V, H) = (shape.vocabulary, shape.hidden)
    func values(_ name: String, _ shape: [Int]) throws -> [Float] { try file.values(prefix + name, shape: shape) }
    try flat.update(from: values("embedding.weight", [V, shape.embedding]), count: shape.embeddingRange.count)
    for (index, layer) in shape.lstm.enumerated() {
      let w = flat + shape.layerRange(index).lowerBound
      try PyTorchLayout.import(
        values("lstm.weight_ih_l\(index)", [4 * H, layer.inputs]), to: .input, of: w, shape: layer)
      try PyTorchLayout.import(values("lstm.weight_hh_l\(index)", [4 * H, H]), to: .recurrent, of: w, shape: layer)
      let bias = try PyTorchLayout.mergedBias(
        values("lstm.bias_ih_l\(index)", [4 * H]), values("lstm.bias_hh_l\(index)", [4 * H]))
      PyTorchLayout.import(bias, to: .bias, of: w, shape: layer)
    }
    let output = flat + shape.outputRange.lowerBound
    output.update(
      from: PyTorchLayout.transposed(try values("output.weight", [V, H]), rows: V, columns: H), count: H * V)
    try (output + H * V).update(from: values("output.bias", [V]), count: V)
  }
}
