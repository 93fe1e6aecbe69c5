import JobHealth
import LSTM
import Problems
import SafeTensors

/// A stack of LSTM layers with its inputs and upstream gradients, as any framework can write it: PyTorch's names,
/// shapes and gate order.
struct GradientCase<Scalar: ReferenceScalar & TensorElement>: Sendable {
  let timesteps: Int
  let lanes: Int
  /// D and H of each layer, lowest first.
  let shapes: [LSTMShape]
  /// [T, B, D]
  let x: [Scalar]
  /// [L, B, H]
  let h0: [Scalar]
  /// [L, B, H]
  let c0: [Scalar]
  /// W and b of each layer, [D + H + 1, 4H].
  let weights: [[Scalar]]
  /// [T, B, H]
  let dy: [Scalar]
  /// [L, B, H]
  let dhT: [Scalar]
  /// [L, B, H]
  let dcT: [Scalar]

  var inputs: Int { shapes[0].inputs }
  var hidden: Int { shapes[0].hidden }
  var layers: Int { shapes.count }
}

extension GradientCase {
  /// Reads a case; F32 and F64 are converted to `Scalar`. Everything that does not fit together is an error with exit
  /// code 65, a case that does not fit into memory one with exit code 78.
  init(path: String, localRanks: Int) throws {
    let file = try TensorFile(path: path)
    func fail(_ what: String, expected: String, got: String, hint: String? = nil) -> Problem {
      Problem(.badData, what, expected: expected, got: got, at: path, hint: hint)
    }
    let xShape = try file.tensor("x").shape
    guard xShape.count == 3, xShape.allSatisfy({ $0 > 0 && $0 <= Int32.max }) else {
      throw fail("x has another shape", expected: "[T, B, D], none of them 0", got: "\(xShape)")
    }
    let first = PyTorchNames.recurrentWeight(PyTorchNames.cell(0))
    let recurrent = try file.tensor(first).shape
    guard recurrent.count == 2, recurrent[1] > 0, recurrent[1] <= Int32.max else {
      throw fail("\(first) has another shape", expected: "[4H, H]", got: "\(recurrent)")
    }
    var layers = 0
    while file.contains(PyTorchNames.inputWeight(PyTorchNames.cell(layers))) { layers += 1 }
    let (T, B, H) = (xShape[0], xShape[1], recurrent[1])
    timesteps = T
    lanes = B
    shapes = LSTMShape.stack(inputs: xShape[2], hidden: H, layers: layers)
    var known: Set = ["x", "h0", "c0", "dy", "dhT", "dcT"]
    for layer in 0..<layers {
      let cell = PyTorchNames.cell(layer)
      known.formUnion([
        PyTorchNames.inputWeight(cell), PyTorchNames.recurrentWeight(cell), PyTorchNames.inputBias(cell),
        PyTorchNames.recurrentBias(cell),
      ])
    }
    if let other = file.tensors.first(where: { !known.contains($0.name) }) {
      throw fail(
        "tensor is not part of a case", expected: "x, h0, c0, dy, dhT, dcT, weight_ih_l0, weight_hh_l0, bias_ih_l0, …",
        got: other.name, hint: "layers are numbered from 0 without a gap")
    }
    try checkMemory(timesteps: T, lanes: B, shapes, fileBytes: file.length, localRanks: localRanks)
    func values(_ name: String, _ shape: [Int]) throws -> [Scalar] {
      try file.values(name, shape: shape, converting: true)
    }
    func optional(_ name: String, _ shape: [Int], default value: Scalar) throws -> [Scalar] {
      if file.contains(name) { return try values(name, shape) }
      return Array(repeating: value, count: shape.reduce(1, *))
    }
    weights = try shapes.enumerated().map { index, shape in
      let cell = PyTorchNames.cell(index)
      let input = try values(PyTorchNames.inputWeight(cell), [4 * H, shape.inputs])
      let recurrent = try values(PyTorchNames.recurrentWeight(cell), [4 * H, H])
      let bias = try PyTorchLayout.mergedBias(
        values(PyTorchNames.inputBias(cell), [4 * H]), values(PyTorchNames.recurrentBias(cell), [4 * H]))
      var w = [Scalar](repeating: 0, count: shape.parameterCount)
      PyTorchLayout.import(input, to: .input, of: &w, shape: shape)
      PyTorchLayout.import(recurrent, to: .recurrent, of: &w, shape: shape)
      PyTorchLayout.import(bias, to: .bias, of: &w, shape: shape)
      return w
    }
    x = try values("x", xShape)
    h0 = try optional("h0", [layers, B, H], default: 0)
    c0 = try optional("c0", [layers, B, H], default: 0)
    dy = try optional("dy", [T, B, H], default: 1)
    dhT = try optional("dhT", [layers, B, H], default: 0)
    dcT = try optional("dcT", [layers, B, H], default: 0)
  }

  /// The same case for some of its sequences.
  func restricted(to range: Range<Int>) -> GradientCase {
    func part(_ values: [Scalar], _ blocks: Int, _ width: Int) -> [Scalar] {
      (0..<blocks).flatMap { block in
        values[(block * lanes + range.lowerBound) * width..<(block * lanes + range.upperBound) * width]
      }
    }
    return GradientCase(
      timesteps: timesteps, lanes: range.count, shapes: shapes, x: part(x, timesteps, inputs),
      h0: part(h0, layers, hidden), c0: part(c0, layers, hidden), weights: weights, dy: part(dy, timesteps, hidden),
      dhT: part(dhT, layers, hidden), dcT: part(dcT, layers, hidden))
  }

  /// One layer's part of [L, B, H].
  func state(_ values: [Scalar], layer: Int) -> [Scalar] {
    Array(values[layer * lanes * hidden..<(layer + 1) * lanes * hidden])
  }
}

/// Refuses a case before any of it is allocated. Its file bounds T·B·D and H², but not T·B·H, which a small file can
/// make as large as it likes: `dy` need not be there, and of each layer the way back needs its gates and states.
private func checkMemory(
  timesteps: Int, lanes: Int, _ shapes: [LSTMShape], fileBytes: Int, localRanks: Int
) throws {
  let steps = Double(timesteps) * Double(lanes) / Double(localRanks)
  // Four gates, hidden and cell state: what a layer keeps of a timestep, whatever the precision.
  let kept = shapes.reduce(0) { $0 + 6 * Double($1.hidden) } * steps
  let dy = Double(timesteps) * Double(lanes) * Double(shapes[0].hidden)
  let bytes = (kept + dy) * Double(MemoryLayout<Float>.stride) + Double(fileBytes)
  try MemoryLimits.ofThisProcess(localRanks: localRanks).check(
    MemoryNeed(own: Int(min(bytes, 0x1p62))), for: "case does not fit",
    hint: "give it fewer sequences, timesteps or hidden units")
}
