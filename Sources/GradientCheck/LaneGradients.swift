import Kernels
import LSTM
import Plan
import SafeTensors

/// What forward and backward of a `GradientCase` give for some lanes.
struct LaneGradients<Scalar: ReferenceScalar> {
  /// [T, B, H]
  var y: [Scalar] = []
  /// [L, B, H]
  var hT: [Scalar] = []
  /// [L, B, H]
  var cT: [Scalar] = []
  /// [T, B, D]
  var dx: [Scalar] = []
  /// [L, B, H]
  var dh0: [Scalar] = []
  /// [L, B, H]
  var dc0: [Scalar] = []
  /// For each subtree of the lanes' shards, the gradient of W and b of each layer, lowest first.
  var dW: [[[Scalar]]] = []
}

/// A precision in which gradients can be computed.
protocol GradientPrecision: ReferenceScalar & TensorElement {
  /// Forward and backward of a case whose every lane is one shard; `rows` says how the shards are summed.
  static func gradients(
    _ one: GradientCase<Self>, rows: ShardedRows
  ) -> LaneGradients<Self>
}

// MARK: Double: the reference, a lane at a time

extension Double: GradientPrecision {
  static func gradients(_ one: GradientCase<Double>, rows: ShardedRows) -> LaneGradients<Double> {
    let single = (0..<one.lanes).map { gradients(ofLane: one.restricted(to: $0..<$0 + 1)) }
    var result = LaneGradients<Double>()
    func interleaved(_ blocks: Int, _ part: KeyPath<LaneGradients<Double>, [Double]>) -> [Double] {
      (0..<blocks).flatMap { block in
        single.flatMap { lane in
          let values = lane[keyPath: part]
          return values[values.count / blocks * block..<values.count / blocks * (block + 1)]
        }
      }
    }
    result.y = interleaved(one.timesteps, \.y)
    result.dx = interleaved(one.timesteps, \.dx)
    result.hT = interleaved(one.layers, \.hT)
    result.cT = interleaved(one.layers, \.cT)
    result.dh0 = interleaved(one.layers, \.dh0)
    result.dc0 = interleaved(one.layers, \.dc0)
    func tree(_ node: Range<Int>, _ layer: Int) -> [Double] {
      if node.count == 1 { return single[node.lowerBound].dW[0][layer] }
      let middle = SummationTree.split(node)
      return zip(tree(node.lowerBound..<middle, layer), tree(middle..<node.upperBound, layer)).map { $0 + $1 }
    }
    result.dW = rows.subtrees.map { subtree in one.shapes.indices.map { tree(subtree.leaves, $0) } }
    return result
  }

  private static func gradients(ofLane one: GradientCase<Double>) -> LaneGradients<Double> {
    var layers: [ReferenceLSTM<Double>] = []
    var inputs = [one.x]
    for (index, shape) in one.shapes.enumerated() {
      var layer = ReferenceLSTM<Double>(shape: shape, timesteps: one.timesteps, lanes: 1, weights: one.weights[index])
      layer.forward(x: inputs[index], a0: one.state(one.h0, layer: index), c0: one.state(one.c0, layer: index))
      inputs.append(Array(layer.a[one.hidden...]))
      layers.append(layer)
    }
    var dy = one.dy
    for index in layers.indices.reversed() {
      layers[index].backward(
        x: inputs[index], dy: dy, daT: one.state(one.dhT, layer: index), dcT: one.state(one.dcT, layer: index))
      dy = layers[index].dx
    }
    let last = one.timesteps * one.hidden
    return LaneGradients(
      y: inputs[one.layers], hT: layers.flatMap { $0.a[last...] }, cT: layers.flatMap { $0.c[last...] }, dx: dy,
      dh0: layers.flatMap(\.da0), dc0: layers.flatMap(\.dc0), dW: [layers.map(\.dW)])
  }
}

// MARK: Float: the layers that train

extension Float: GradientPrecision {
  static func gradients(_ one: GradientCase<Float>, rows: ShardedRows) -> LaneGradients<Float> {
    let (T, B, H) = (one.timesteps, one.lanes, one.hidden)
    let layers = one.shapes.map { LSTMLayer(shape: $0, timesteps: T, lanes: B) }
    var inputs = [padRows(one.x, columns: one.inputs)]
    for (index, layer) in layers.enumerated() {
      layer.pack(one.weights[index])
      copy(padRows(one.state(one.h0, layer: index), columns: H), to: layer.hidden(0))
      copy(padRows(one.state(one.c0, layer: index), columns: H), to: layer.cell(0))
      layer.forward(x: inputs[index], between: {})
      inputs.append(Array(UnsafeBufferPointer(start: layer.hidden(1), count: T * B * layer.hiddenStride)))
    }
    var result = LaneGradients<Float>()
    result.dW = rows.subtrees.map { _ in one.shapes.map { [Float](repeating: 0, count: $0.parameterCount) } }
    let product = WeightGradient(rows: rows, maximumDepth: one.shapes.map(\.rows).max()!)
    var upstream = padRows(one.dy, columns: H)
    var (dh0, dc0): ([[Float]], [[Float]]) = ([], [])
    for (index, layer) in layers.enumerated().reversed() {
      let dhT = padRows(one.state(one.dhT, layer: index), columns: H)
      for i in dhT.indices { upstream[(T - 1) * B * layer.hiddenStride + i] += dhT[i] }
      layer.backward(da: &upstream, dcT: padRows(one.state(one.dcT, layer: index), columns: H), between: {})
      let count = one.shapes[index].parameterCount
      var gradient = [Float](repeating: 0, count: count * max(1, rows.subtrees.count))
      layer.weightGradient(x: inputs[index], using: product, gradient: &gradient, subtreeStride: count, between: {})
      for j in rows.subtrees.indices { result.dW[j][index] = Array(gradient[j * count..<(j + 1) * count]) }
      var (da0, dcStart) = (dhT, dhT)
      layer.initialStateGradients(da0: &da0, dc0: &dcStart)
      dh0.append(cutRows(da0, columns: H))
      dc0.append(cutRows(dcStart, columns: H))
      upstream = [Float](repeating: 0, count: T * B * layer.inputStride)
      layer.inputGradient(&upstream, between: {})
    }
    result.y = cutRows(inputs[one.layers], columns: H)
    result.dx = cutRows(upstream, columns: one.inputs)
    result.hT = layers.flatMap { cutRows(states($0, $0.hidden(T)), columns: H) }
    result.cT = layers.flatMap { cutRows(states($0, $0.cell(T)), columns: H) }
    result.dh0 = dh0.reversed().flatMap { $0 }
    result.dc0 = dc0.reversed().flatMap { $0 }
    return result
  }

  private static func states(_ layer: LSTMLayer, _ start: UnsafePointer<Float>) -> [Float] {
    Array(UnsafeBufferPointer(start: start, count: layer.lanes * layer.hiddenStride))
  }

  private static func copy(_ values: [Float], to destination: UnsafeMutablePointer<Float>) {
    destination.update(from: values, count: values.count)
  }

  /// [rows, columns] with each row filled up to whole vectors.
  private static func padRows(_ values: [Float], columns: Int) -> [Float] {
    let width = padded(columns)
    var result = [Float](repeating: 0, count: values.count / columns * width)
    for i in values.indices { result[i / columns * width + i % columns] = values[i] }
    return result
  }

  /// The inverse of `padRows`.
  private static func cutRows(_ values: [Float], columns: Int) -> [Float] {
    let width = padded(columns)
    return (0..<values.count / width).flatMap { values[$0 * width..<$0 * width + columns] }
  }
}
