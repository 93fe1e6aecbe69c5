import Checkpoints
import LSTM

/// A model's flat parameters as the tensors of `model.safetensors`, with PyTorch's names, shapes and gate order: those of
/// a module with `embedding` (`nn.Embedding`, where the model reads tokens), `lstm` (`nn.LSTM`) and `output` (`nn.Linear`).
/// Moments of an optimizer have the same form, with a prefix.
enum ModelFile {
  /// The tensors of flat memory in this form.
  static func tensors(
    _ flat: UnsafePointer<Float>, shape: ModelShape, prefix: String = ""
  ) -> [TensorSource] {
    let (K, H) = (shape.classes, shape.hidden)
    func source(_ name: String, _ shape: [Int], _ values: @escaping () -> [Float]) -> TensorSource {
      TensorSource(name: prefix + name, dtype: .float32, shape: shape) { write in
        try values().withUnsafeBytes { try write($0) }
      }
    }
    var tensors: [TensorSource] = []
    if case .tokens(let vocabulary, let size) = shape.input {
      tensors.append(
        source("embedding.weight", [vocabulary, size]) {
          Array(UnsafeBufferPointer(start: flat, count: vocabulary * size))
        })
    }
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
      source("output.weight", [K, H]) { PyTorchLayout.transposed(output, rows: H, columns: K) },
      source("output.bias", [K]) { Array(UnsafeBufferPointer(start: output + H * K, count: K)) },
    ]
  }

  /// Fills flat memory from a file in this form.
  /// - Throws: where a tensor is missing, or has another shape or dtype.
  static func read(
    _ file: TensorFile, into flat: UnsafeMutablePointer<Float>, shape: ModelShape, prefix: String = ""
  ) throws {
    let (K, H) = (shape.classes, shape.hidden)
    func values(_ name: String, _ shape: [Int]) throws -> [Float] { try file.values(prefix + name, shape: shape) }
    if case .tokens(let vocabulary, let size) = shape.input {
      try flat.update(from: values("embedding.weight", [vocabulary, size]), count: vocabulary * size)
    }
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
      from: PyTorchLayout.transposed(try values("output.weight", [K, H]), rows: K, columns: H), count: H * K)
    try (output + H * K).update(from: values("output.bias", [K]), count: K)
  }
}
