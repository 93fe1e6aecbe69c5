import Kernels

extension SequenceModel {
  /// Bytes that a model takes on a rank whose largest pass has so many lanes: parameters, gradients, packed weights,
  /// activations.
  public static func memory(
    shape: ModelShape, timesteps: Int, lanes: Int, gradients: Int, dropout: Bool
  ) -> (parameters: Int, gradients: Int, packed: Int, activations: Int) {
    let rowCount = timesteps * lanes
    let float = MemoryLayout<Float>.stride
    let (Dp, Hp) = (padded(shape.inputs), padded(shape.hidden))
    let layers = shape.lstm.map { LSTMLayer.bytes(shape: $0, timesteps: timesteps, lanes: lanes) }
    // Numbers are held once more as they came, without padding.
    let read = shape.vocabulary == nil ? shape.inputs : 0
    var between = rowCount * (read + Dp + max(Dp, Hp) + (dropout ? shape.layersReadAtEveryStep * Hp : 0)) * float
    var scratch = WeightGradient.scratchBytes(rowCount: rowCount, maximumDepth: shape.lstm.map(\.rows).max()!)
    var outputRowCount = rowCount
    if shape.head.isAtLastStep {
      outputRowCount = lanes
      between += lanes * Hp * float
      scratch += WeightGradient.scratchBytes(rowCount: lanes, maximumDepth: shape.hidden + 1)
    }
    let output = OutputLayer.bytes(inputs: shape.hidden, classes: shape.classes, rowCount: outputRowCount)
    return (
      shape.parameterCount * float, gradients * shape.parameterCount * float,
      layers.reduce(output.packed) { $0 + $1.packed },
      layers.reduce(output.activations + between + scratch) { $0 + $1.activations }
    )
  }

  /// Floats of all packed weights.
  public static func packedFloats(_ shape: ModelShape) -> Int {
    let output = OutputLayer.bytes(inputs: shape.hidden, classes: shape.classes, rowCount: 0).packed
    let layers = shape.lstm.map { LSTMLayer.bytes(shape: $0, timesteps: 0, lanes: 0).packed }
    return layers.reduce(output, +) / MemoryLayout<Float>.stride
  }
}

extension ModelShape {
  /// Layers whose output something reads at every timestep: all, but for the highest under a head at the last one.
  var layersReadAtEveryStep: Int {
    switch head {
    case .everyStep: layers
    case .lastStep, .lastStepNumbers: layers - 1
    }
  }
}
