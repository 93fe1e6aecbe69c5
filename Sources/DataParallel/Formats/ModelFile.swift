import LSTM
import SafeTensors

/// A model's flat parameters as the tensors of `model.safetensors`, with PyTorch's names, shapes and gate order: those
/// of a module with `embedding` (`nn.Embedding`, where the model reads tokens), `lstm` (`nn.LSTM`) and `output`
/// (`nn.Linear` or `nn.AdaptiveLogSoftmaxWithLoss`). Moments of an optimizer have the same form, with a prefix.
enum ModelFile {
  /// The tensors of flat memory in this form, which stays as it is as long as they are used.
  static func tensors(
    _ flat: UnsafePointer<Float>, shape: ModelShape, prefix: String = ""
  ) -> [TensorSource] {
    let H = shape.hidden
    func source(
      _ name: String, _ shape: [Int],
      _ pieces: @escaping (_ body: (UnsafeBufferPointer<Float>) throws -> Void) throws -> Void
    ) -> TensorSource {
      TensorSource(name: prefix + name, dtype: .float32, shape: shape) { write in
        try pieces { try write(UnsafeRawBufferPointer($0)) }
      }
    }
    func asItIs(_ name: String, _ first: UnsafePointer<Float>, _ shape: [Int]) -> TensorSource {
      let floats = UnsafeBufferPointer(start: first, count: shape.reduce(1, *))
      return TensorSource(name: prefix + name, floats: floats, shape: shape)
    }
    var tensors: [TensorSource] = []
    if case .tokens(let vocabulary, let size) = shape.input, !shape.isTied {
      tensors.append(asItIs(ModelNames.embedding, flat, [vocabulary, size]))
    }
    for (index, layer) in shape.lstm.enumerated() {
      let w = flat + shape.layerRange(index).lowerBound
      func block(_ name: String, _ block: PyTorchLayout.Block, _ shape: [Int]) -> TensorSource {
        source(name, shape) { try PyTorchLayout.forEachExportedPiece(block, of: w, shape: layer, $0) }
      }
      tensors += [
        block(ModelNames.inputWeight(shape.cellName(index)), .input, [4 * H, layer.inputs]),
        block(ModelNames.recurrentWeight(shape.cellName(index)), .recurrent, [4 * H, H]),
        block(ModelNames.inputBias(shape.cellName(index)), .bias, [4 * H]),
        TensorSource(
          name: prefix + ModelNames.recurrentBias(shape.cellName(index)), shape: [4 * H],
          values: [Float](repeating: 0, count: 4 * H)),
      ]
    }
    for tensor in shape.outputTensors {
      let first = flat + shape.outputRange.lowerBound + tensor.first
      tensors.append(
        !tensor.isTransposed
          ? asItIs(tensor.name, first, tensor.shape)
          : source(tensor.name, tensor.shape) {
            let (K, inputs) = (tensor.shape[0], tensor.shape[1])
            try PyTorchLayout.forEachTransposedPiece(first, stride: K, rows: inputs, columns: K, $0)
          })
    }
    return tensors
  }

  /// Fills flat memory from a file in this form.
  /// - Throws: where a tensor is missing, or has another shape or dtype.
  static func read(
    _ file: TensorFile, into flat: UnsafeMutablePointer<Float>, shape: ModelShape, prefix: String = ""
  ) throws {
    let H = shape.hidden
    func values(_ name: String, _ shape: [Int]) throws -> [Float] { try file.values(prefix + name, shape: shape) }
    if case .tokens(let vocabulary, let size) = shape.input, !shape.isTied {
      try flat.update(from: values(ModelNames.embedding, [vocabulary, size]), count: vocabulary * size)
    }
    for (index, layer) in shape.lstm.enumerated() {
      let w = flat + shape.layerRange(index).lowerBound
      try PyTorchLayout.import(
        values(ModelNames.inputWeight(shape.cellName(index)), [4 * H, layer.inputs]), to: .input, of: w, shape: layer)
      try PyTorchLayout.import(
        values(ModelNames.recurrentWeight(shape.cellName(index)), [4 * H, H]), to: .recurrent, of: w, shape: layer)
      let bias = try PyTorchLayout.mergedBias(
        values(ModelNames.inputBias(shape.cellName(index)), [4 * H]),
        values(ModelNames.recurrentBias(shape.cellName(index)), [4 * H]))
      PyTorchLayout.import(bias, to: .bias, of: w, shape: layer)
    }
    for tensor in shape.outputTensors {
      var numbers = try values(tensor.name, tensor.shape)
      if tensor.isTransposed {
        numbers = PyTorchLayout.transposed(numbers, rows: tensor.shape[0], columns: tensor.shape[1])
      }
      (flat + shape.outputRange.lowerBound + tensor.first).update(from: numbers, count: numbers.count)
    }
  }
}
