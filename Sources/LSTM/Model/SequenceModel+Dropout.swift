import Kernels

extension SequenceModel {
  /// Dropout of the rows that enter a layer, or of their gradient.
  func drop(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, units: Int, layer: Int, step: Int
  ) {
    dropout?.apply(
      from, to: to, timesteps: rows.timesteps, lanes: rows.lanes, stride: padded(units), units: units, step: step,
      layer: layer, firstTimestep: segments[segment].lowerBound, firstLane: rows.firstLane)
  }

  /// (D3) for the embedding's rows that the tokens have looked up, or their gradient.
  func dropTokens(_ tokens: UnsafeBufferPointer<Int32>, of rows: UnsafeMutablePointer<Float>, step: Int) {
    dropout?.applyToTokens(rows, tokens: tokens, stride: padded(shape.inputs), step: step)
  }

  /// (D2) for the sums of the pass.
  func dropWeightGradients(
    _ gradient: UnsafeMutablePointer<Float>, subtreeStride: Int, ofLayer index: Int, step: Int
  ) {
    guard let dropout, dropsWeights else { return }
    let layer = shape.lstm[index]
    let start = shape.gradientShift + shape.layerRange(index).lowerBound + layer.inputs * layer.columns
    dropout.dropGradients(
      gradient + start, of: rows.subtrees, subtreeStride: subtreeStride, rows: layer.hidden, columns: layer.columns,
      step: step, layer: index)
  }

  /// What is read of a layer's output at every timestep; nothing in evaluation (nil).
  func dropOutput(ofLayer index: Int, step: Int?) {
    guard let step, index < dropped.count else { return }
    drop(
      layers[index].output, to: dropped[index].buffer.pointer, units: shape.outputs, layer: index + 1, step: step)
  }

  /// The row of each lane that a pooled head reads, or its gradient; nothing in evaluation (nil). It is drawn as that of
  /// t = 0, however long the sequence.
  func dropReadout(step: Int?) {
    guard let step, let pooled = head.readout.rows else { return }
    dropout?.apply(
      pooled, to: pooled, timesteps: 1, lanes: rows.lanes, stride: padded(shape.outputs), units: shape.outputs,
      step: step, layer: shape.layers, firstLane: rows.firstLane)
  }
}
