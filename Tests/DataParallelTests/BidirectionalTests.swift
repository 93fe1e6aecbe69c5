import Foundation
import LSTM
import Plan
import SafeTensors
import Testing

/// Two bidirectional layers over sequences of different lengths, against PyTorch's packed sequences.
@Suite struct BidirectionalTests {
  private let file: TensorFile
  private static let sizes = (T: 6, B: 5, D: 3, H: 4, K: 3)
  private let shape = ModelShape(
    input: .numbers(3), hidden: 4, layers: 2, isBidirectional: true, head: .pooled(classes: 3))

  init() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    file = try TensorFile(path: folder.appending(path: "Fixtures/bidirectional.safetensors").path)
  }

  /// The tensors of one cell and of the head as flat parameters; `prefix` chooses their gradients instead.
  private func flat(_ prefix: String = "") throws -> [Float] {
    let (_, _, _, H, K) = Self.sizes
    var flat = [Float](repeating: 0, count: shape.parameterCount)
    for cell in 0..<4 {
      let (layer, name) = (shape.lstm[cell], ["l0", "l0_reverse", "l1", "l1_reverse"][cell])
      func values(_ tensor: String, _ sizes: [Int]) throws -> [Float] {
        try file.values("\(prefix)lstm.\(tensor)_\(name)", shape: sizes)
      }
      var w = [Float](repeating: 0, count: layer.parameterCount)
      try PyTorchLayout.import(values("weight_ih", [4 * H, layer.inputs]), to: .input, of: &w, shape: layer)
      try PyTorchLayout.import(values("weight_hh", [4 * H, H]), to: .recurrent, of: &w, shape: layer)
      let bias = try values("bias_ih", [4 * H])
      // Two biases of the same sum have the same gradient.
      let merged = prefix.isEmpty ? PyTorchLayout.mergedBias(bias, try values("bias_hh", [4 * H])) : bias
      PyTorchLayout.import(merged, to: .bias, of: &w, shape: layer)
      flat.replaceSubrange(shape.layerRange(cell), with: w)
    }
    let weight: [Float] = try file.values("\(prefix)output.weight", shape: [K, 2 * H])
    let bias: [Float] = try file.values("\(prefix)output.bias", shape: [K])
    flat.replaceSubrange(
      shape.outputRange, with: PyTorchLayout.transposed(weight, rows: K, columns: 2 * H) + bias)
    return flat
  }

  @Test func lossAndEveryGradientAreThoseOfPyTorch() throws {
    let (T, B, D, _, _) = Self.sizes
    let x: [Float] = try file.values("x", shape: [T, B, D])
    let lengths: [Int32] = try file.values("lengths", shape: [B])
    let labels: [Int32] = try file.values("labels", shape: [B])
    let parameters = try flat()
    let model = SequenceModel(shape: shape, passes: [ShardedRows(timesteps: T, lanes: B)])
    model.pack(parameters)
    var gradient = [Float](repeating: .nan, count: shape.parameterCount)
    var loss = [0.0]
    x.withUnsafeBufferPointer { x in
      lengths.withUnsafeBufferPointer { lengths in
        model.forward(.numbers(x), lengths: lengths, parameters: parameters, step: 0, between: {})
      }
      labels.withUnsafeBufferPointer { labels in
        loss.withUnsafeMutableBufferPointer {
          model.loss(targets: .classes(labels), scale: 1 / Float(B), shardLosses: $0, between: {})
        }
      }
      model.backward(.numbers(x), step: 0, gradient: &gradient, subtreeStride: 0, between: {}, finished: { _ in })
    }
    let truth = try file.values("loss", as: Double.self, shape: [])[0]
    #expect(abs(loss[0] / Double(B) - truth) < 1e-6)
    let expected = try flat("d_")
    let largest = expected.map(abs).max()!
    for part in shape.parts {
      let farthest = part.map { abs(gradient[$0] - expected[$0]) }.max()!
      #expect(farthest < 1e-6 * max(1, largest), "\(part)")
      #expect(expected[part].contains { abs($0) > 1e-4 })
    }
  }
}
