/// A step of a pass: embedding, layers, head, loss; and the same in reverse.
extension SequenceModel {
  // MARK: Forward

  /// Forward over a window to the logits. With `step` given, dropout is drawn for that training step; nil is
  /// evaluation, without dropout. `between` is called every few milliseconds, and may abandon the pass by an error.
  /// - Parameter lengths: timesteps of each lane's sequence, [B], 0 for no sequence; nil for T in every lane.
  package func forward(
    _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>? = nil, parameters: UnsafePointer<Float>, step: Int?,
    between: () throws -> Void
  ) rethrows {
    try forEachSegment { segment in
      try forwardLayers(input, lengths: lengths, parameters: parameters, step: step, between: between)
      head.readout.take(layers[shape.layers - 1].output, of: segment, lengths: lengths)
    }
    dropReadout(step: step)
    try head.forward(y: headInput, between: between)
  }

  /// Makes a segment the one that is in memory: computes it again from the states before it, unless it still is.
  /// Arguments as for `forward`, which must have come before.
  package func recompute(
    segment index: Int, _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>? = nil,
    parameters: UnsafePointer<Float>, step: Int?, between: () throws -> Void
  ) rethrows {
    guard index != segment else { return }
    use(segment: index)
    restoreStates()
    try forwardLayers(input, lengths: lengths, parameters: parameters, step: step, between: between)
    if !shape.head.isPooled { try head.forward(y: headInput, between: between) }
  }

  /// Embedding and layers over the segment.
  private func forwardLayers(
    _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>?, parameters: UnsafePointer<Float>, step: Int?,
    between: () throws -> Void
  ) rethrows {
    dropsOut = step != nil
    read(input, lengths: lengths, parameters: parameters, step: step)
    bidirectionalRows?.use(rows, lengths: lengths)
    for index in 0..<shape.layers {
      try layers[index].forward(x: self.input(ofLayer: index), between: between)
      if let observe {
        for cell in cellIndices(ofLayer: index) {
          cells[cell].observeForward(cell: cell, isFirst: segment == 0, observe)
        }
      }
      dropOutput(ofLayer: index, step: step)
    }
  }

  // MARK: Loss

  /// The loss of each shard of the pass, and the logits turned into their gradient. From segment to segment losses add
  /// up in `shardLosses`.
  /// - Parameters:
  ///   - targets: of the head's kind.
  ///   - scale: 1 / (targets of the global batch).
  package func loss(
    targets: SequenceTargets, scale: Float, shardLosses: UnsafeMutableBufferPointer<Double>,
    between: () throws -> Void
  ) rethrows {
    guard hasOutputs else { return }
    let own = targetsOfSegment(targets)
    penalized?.count(own, rowCount: head.rows.order.count, outputs: shape.classes, scale: scale)
    try head.lossAndGradient(
      y: headInput, targets: own, scale: scale, continuing: !isLastSegment, shardLosses: shardLosses,
      observe: observe, between: between)
  }

  /// The loss of each shard of the pass without a gradient; the logits are used up.
  package func evaluationLoss(
    targets: SequenceTargets, shardLosses: UnsafeMutableBufferPointer<Double>, between: () throws -> Void
  ) rethrows {
    guard hasOutputs else { return }
    try head.evaluationLoss(
      y: headInput, targets: targetsOfSegment(targets), continuing: !isLastSegment, shardLosses: shardLosses,
      between: between)
  }

  // MARK: Backward

  /// Backward through everything after `loss`: the head, the layers from the highest, the embedding. The rank's
  /// gradients of the whole model are `subtreeStride` floats apart; after the last pass those of the subtrees of its
  /// shards come first. Without a `gradient` only those of the activations are computed.
  ///
  /// `finished` is called with each part (an index of `shape.parts`) as soon as the pass has added to its gradient,
  /// while the layers below are still to be computed; `written` before, as soon as the first `numbers` elements of the
  /// lowest layer's gradient are final, which is computed in `runs` of rows: little is left to compute behind it.
  /// `between` is called every few milliseconds, between timesteps and between blocks of the products, and may abandon
  /// the pass by an error. Of the embedding's gradient only the rows of `tokensSeen` are written: it must be +0.0 before
  /// the first pass, as `clearEmbeddingGradient` leaves it. Of several segments only the first, which comes last, adds
  /// to gradients.
  package func backward(
    _ input: SequenceInput, step: Int, gradient: UnsafeMutablePointer<Float>?, subtreeStride: Int,
    runs: Int = 1, between: () throws -> Void, written: (_ part: Int, _ numbers: Int) -> Void = { _, _ in },
    finished: (_ part: Int) -> Void
  ) rethrows {
    if let gradient {
      if pass == 0 && isLastSegment { embedding?.forgetSeen() }
      try headGradient(gradient, subtreeStride: subtreeStride, between: between, finished: finished)
    }
    try headInputGradient(step: step, between: between)
    for index in (0..<shape.layers).reversed() {
      try backwardThroughTime(index, between: between)
      if let gradient {
        try layers[index].forEachCellFromLast(x: self.input(ofLayer: index)) { direction, cell, x in
          try weightGradient(
            ofCell: shape.directions * index + direction, cell, x: x, step: step, gradient: gradient,
            subtreeStride: subtreeStride, runs: runs, between: between, written: written, finished: finished)
        }
      }
      // Numbers that were read have no gradient.
      if index == 0 && embedding == nil { return }
      try inputGradient(ofLayer: index, input, step: step, between: between)
    }
    if let gradient { embeddingGradient(input, gradient, subtreeStride: subtreeStride, finished: finished) }
  }

  /// The gradient of the head's parameters.
  private func headGradient(
    _ gradient: UnsafeMutablePointer<Float>, subtreeStride: Int, between: () throws -> Void,
    finished: (_ part: Int) -> Void
  ) rethrows {
    guard hasOutputs else { return }
    let start = shape.gradientShift + shape.outputRange.lowerBound
    // A pooled head has all its rows in one segment.
    let isPooled = shape.head.isPooled
    try head.weightGradient(
      y: headInput, gradient: gradient + start, subtreeStride: subtreeStride,
      piece: isPooled ? nil : piece(from: start), between: between)
    if isPooled || segment == 0 { for part in shape.outputParts.reversed() { finished(part) } }
  }

  /// What reaches the highest layer in the segment.
  private func headInputGradient(step: Int, between: () throws -> Void) rethrows {
    if let pooled = head.readout.rows {
      if hasOutputs {
        try head.inputGradient(pooled, between: between)
        dropReadout(step: step)
      }
      head.readout.put(downward.pointer, of: segments[segment])
    } else {
      try head.inputGradient(downward.pointer, between: between)
      penalized?.addActivation(to: downward.pointer, states: headInput, rowCount: rows.order.count)
      drop(downward.pointer, to: downward.pointer, units: shape.outputs, layer: shape.layers, step: step)
      penalized?.addTemporal(
        to: downward.pointer, layer: cells[shape.layers - 1], isFirst: segment == 0, isLast: isLastSegment)
    }
    observe?(gradientOfHighest)
  }

  /// Backward through time of a layer, of what has reached it.
  private func backwardThroughTime(_ index: Int, between: () throws -> Void) rethrows {
    let readsEnds = shape.readsEnds && index == shape.layers - 1
    try layers[index].backward(
      dy: readsEnds ? nil : downward.pointer, continuing: !isLastSegment, between: between)
    if let observe {
      for cell in cellIndices(ofLayer: index) { cells[cell].observeBackward(cell: cell, observe) }
    }
  }

  /// (B6) and (B7) of a cell over x [T, B, Dp].
  private func weightGradient(
    ofCell index: Int, _ cell: LSTMLayer, x: UnsafePointer<Float>, step: Int, gradient: UnsafeMutablePointer<Float>,
    subtreeStride: Int, runs: Int, between: () throws -> Void, written: (_ part: Int, _ numbers: Int) -> Void,
    finished: (_ part: Int) -> Void
  ) rethrows {
    let (start, part) = (shape.gradientShift + shape.layerRange(index).lowerBound, shape.part(ofLayer: index))
    let isComplete = segment == 0
    let setsOutEarly = index == 0 && isComplete && !dropsWeights
    try cell.weightGradient(
      x: x, using: product, gradient: gradient + start, subtreeStride: subtreeStride, piece: piece(from: start),
      recurrentScale: 1 / (1 - (dropout?.weightRate ?? 0)), runs: setsOutEarly ? runs : 1, between: between,
      written: { if setsOutEarly { written(part, $0) } })
    guard isComplete else { return }
    dropWeightGradients(gradient, subtreeStride: subtreeStride, ofLayer: index, step: step)
    finished(part)
  }

  /// What reaches the layer below, or the rows of the embedding.
  private func inputGradient(
    ofLayer index: Int, _ input: SequenceInput, step: Int, between: () throws -> Void
  ) rethrows {
    try layers[index].inputGradient(downward.pointer, between: between)
    let units = index == 0 ? shape.inputs : shape.outputs
    drop(downward.pointer, to: downward.pointer, units: units, layer: index, step: step)
    if index == 0 { dropTokens(tokens(input), of: downward.pointer, step: step) }
    observe?(
      Observation(
        .dInput, cell: shape.directions * index, .timesteps, timestepRows(downward.pointer, columns: units)))
  }
}
