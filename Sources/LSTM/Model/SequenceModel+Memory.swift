import Kernels

extension SequenceModel {
  /// T of a window in segments of `each` timesteps; the last one takes what is left.
  static func segments(of timesteps: Int, each: Int) -> [Range<Int>] {
    stride(from: 0, to: timesteps, by: each).map { $0..<min($0 + each, timesteps) }
  }

  /// Bytes of a model on a rank whose largest pass has these lanes and shards: parameters, gradients, packed weights,
  /// activations. Of T = `timesteps` only `segment` are in memory together.
  package static func memory(
    shape: ModelShape, timesteps: Int, segment: Int, lanes: Int, shards: Int, gradients: Int, dropout: Bool,
    penalty: Bool = false
  ) -> (parameters: Int, gradients: Int, packed: Int, activations: Int) {
    let segments = segments(of: timesteps, each: segment).count
    let rowCount = segment * lanes
    let float = MemoryLayout<Float>.stride
    let (Dp, Yp) = (padded(shape.inputs), padded(shape.outputs))
    let layers = shape.lstm.map {
      LSTMLayer.bytes(shape: $0, timesteps: segment, lanes: lanes, isSegmented: segments > 1)
    }
    // What came is held once more for the whole window: numbers without padding, tokens and targets.
    let read = shape.vocabulary == nil ? shape.inputs : 1
    var between = timesteps * lanes * (read + (shape.head.isPooled ? 0 : 1)) * float
    between += rowCount * (Dp + max(Dp, Yp) + (dropout ? shape.layersDroppedAtEveryStep * Yp : 0)) * float
    if shape.directions > 1 { between += BidirectionalRows.bytes(shape, timesteps: segment, lanes: lanes) }
    if penalty { between += PenalizedStates.bytes(timesteps: segment, lanes: lanes, units: shape.hidden) }
    if segments > 1 { between += borderFloats(shape, segments: segments, lanes: lanes) * float }
    // With several segments the gradient of each shard waits for the next segment.
    let waiting = segments > 1 ? shards : 0
    let scratch = WeightGradient.scratchBytes(rowCount: rowCount, maximumDepth: shape.largestDepth)
    let head = Head.bytes(shape, timesteps: segment, lanes: lanes)
    return (
      shape.parameterCount * float, (gradients + waiting) * shape.gradientCount * float,
      layers.reduce(head.packed) { $0 + $1.packed },
      layers.reduce(head.activations + between + scratch) { $0 + $1.activations }
    )
  }

  /// Floats of all packed weights.
  package static func packedFloats(_ shape: ModelShape) -> Int {
    let layers = shape.lstm.map { LSTMLayer.bytes(shape: $0, timesteps: 0, lanes: 0).packed }
    return layers.reduce(Head.bytes(shape, timesteps: 0, lanes: 0).packed, +) / MemoryLayout<Float>.stride
  }
}

extension ModelShape {
  /// Whether a pooled head reads the two ends of bidirectional layers (R5).
  var readsEnds: Bool { directions > 1 && head.isPooled && pooling == .last }

  /// Layers of which something reads every timestep, of both directions together: all, but for the highest where the
  /// head reads its ends.
  var layersReadAtEveryStep: Int { readsEnds ? layers - 1 : layers }

  /// Rows of the largest weight gradient over all timesteps: that of a cell, or of the output layer where it reads both
  /// cells of every timestep.
  var largestDepth: Int { max(lstm.map(\.rows).max()!, head.isPooled ? 0 : outputs + 1) }

  /// Layers whose output is dropped timestep by timestep: all, but for the highest under a pooled head, which reads a
  /// row that is dropped itself.
  var layersDroppedAtEveryStep: Int { head.isPooled ? layers - 1 : layers }
}
