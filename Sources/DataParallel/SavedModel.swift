import LSTM
import Problems
import Runs
import SafeTensors

/// A model as a checkpoint holds it, without anything of its training: for evaluation, sampling and inspection.
package struct SavedModel {
  /// Sizes of the model, from the tensors themselves.
  package let shape: ModelShape
  /// The JSON of the vocabulary.
  package let vocabulary: [UInt8]
  /// SHA-256 of the parameters.
  package let parametersSHA256: String

  /// Reads and checks what a checkpoint says of its model. The parameters themselves are read by `readParameters`.
  package init(_ checkpoint: Checkpoint) throws {
    let file = try checkpoint.open(RunNames.model)
    shape = try SavedModel.shape(of: file, headName: StateFile(checkpoint).head())
    parametersSHA256 = try file.parametersSHA256()
    vocabulary = try DataIdentity(checkpoint).vocabulary
  }

  /// Fills flat memory with the parameters of the checkpoint that the model was made from.
  package func readParameters(_ checkpoint: Checkpoint, into parameters: UnsafeMutablePointer<Float>) throws {
    try ModelFile.read(checkpoint.open(RunNames.model), into: parameters, shape: shape)
  }

  static func shape(of file: TensorFile, headName: String) throws -> ModelShape {
    let table = file.contains(ModelNames.embedding) ? try file.tensor(ModelNames.embedding) : nil
    let first = PyTorchNames.cell(0)
    let lowest = try file.tensor(ModelNames.inputWeight(first))
    let recurrent = try file.tensor(ModelNames.recurrentWeight(first))
    var layers = 0
    while file.contains(ModelNames.inputWeight(PyTorchNames.cell(layers))) { layers += 1 }
    let shapes = [lowest, recurrent, table].compactMap { $0?.shape }
    guard shapes.allSatisfy({ $0.count == 2 && $0.allSatisfy { 0 < $0 && $0 <= largestSize } }),
      let head = OutputName(headName),
      let classes = head.isSharedOrCut ? table?.shape[0] : try outputs(of: file)
    else {
      throw Problem(
        .badData, "model cannot be read",
        expected:
          "\(ModelNames.inputWeight(first)) [4H, D], \(ModelNames.recurrentWeight(first)) [4H, H], "
          + "\(ModelNames.outputWeight) [K, H], perhaps \(ModelNames.embedding) [V, D], and a known head",
        got: "\(shapes) and \(headName)", at: file.path)
    }
    let directions = file.contains(ModelNames.inputWeight(PyTorchNames.cell(0, isReverse: true))) ? 2 : 1
    // The matrices of every layer must be there: a model is never larger than its file.
    let hidden = recurrent.shape[1]
    for layer in 0..<layers {
      let inputs = layer > 0 ? directions * hidden : table?.shape[1] ?? lowest.shape[1]
      for cell in [false, true].prefix(directions).map({ PyTorchNames.cell(layer, isReverse: $0) }) {
        _ = try file.tensor(ModelNames.inputWeight(cell), shape: [4 * hidden, inputs])
        _ = try file.tensor(ModelNames.recurrentWeight(cell), shape: [4 * hidden, hidden])
      }
    }
    let input: ModelShape.Input =
      table.map { .tokens(vocabulary: $0.shape[0], embedding: $0.shape[1]) } ?? .numbers(lowest.shape[1])
    guard
      let shape = head.shape(
        input: input, hidden: hidden, layers: layers, isBidirectional: directions == 2, classes: classes)
    else {
      throw Problem(
        .badData, "model cannot be read", expected: "a head that fits the layers",
        got: "\(headName) above \(shapes)", at: file.path)
    }
    for tensor in shape.outputTensors { _ = try file.tensor(tensor.name, shape: tensor.shape) }
    return shape
  }

  /// K of the one matrix of an output.
  private static func outputs(of file: TensorFile) throws -> Int? {
    let output = try file.tensor(ModelNames.outputWeight).shape
    return output.count == 2 && 0 < output[0] && output[0] <= largestSize ? output[0] : nil
  }

  /// No size of a layer is larger: products of two fit an Int.
  private static let largestSize = 1 << 24
}
