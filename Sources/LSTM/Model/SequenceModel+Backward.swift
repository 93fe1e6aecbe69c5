import Kernels

extension SequenceModel {
  /// Backward through everything after `loss`: the output layer, the LSTM layers from the top, the embedding. The
  /// rank's gradients of the whole model are `subtreeStride` floats apart; after the last pass those of the subtrees of
  /// its shards come first.
  ///
  /// `finished` is called with each part (an index of `shape.parts`) as soon as the pass has added to its gradient,
  /// while the layers below are still to be computed; `written` before, as soon as the first `numbers` elements of the
  /// lowest layer's gradient are final, which is computed in `runs` of rows: little is left to compute behind it.
  /// `between` is called every few milliseconds, between timesteps and between blocks of the products, and may abandon
  /// the pass by an error. Of the embedding's gradient only the rows of `tokensSeen` are written: it must be +0.0 before
  /// the first pass, as `clearEmbeddingGradient` leaves it. Of several segments only the first, which comes last, adds
  /// to gradients.
  package func backward(
    _ input: SequenceInput, step: Int, gradient: UnsafeMutablePointer<Float>, subtreeStride: Int,
    runs: Int = 1, between: () throws -> Void, written: (_ part: Int, _ numbers: Int) -> Void = { _, _ in },
    finished: (_ part: Int) -> Void
  ) rethrows {
    if pass == 0 && isLastSegment { embedding?.forgetSeen() }
    let isComplete = segment == 0
    try backwardFromHead(
      step: step, gradient: gradient, subtreeStride: subtreeStride, between: between,
      finished: { for part in shape.outputParts.reversed() { finished(part) } })
    func weightGradient(_ cell: Int, _ x: UnsafePointer<Float>, _ between: () throws -> Void) rethrows {
      let start = shape.gradientShift + shape.layerRange(cell).lowerBound
      let setsOutEarly = cell == 0 && isComplete && !dropsWeights
      try layers[cell].weightGradient(
        x: x, using: product, gradient: gradient + start, subtreeStride: subtreeStride, piece: piece(from: start),
        recurrentScale: 1 / (1 - (dropout?.weightRate ?? 0)), runs: setsOutEarly ? runs : 1, between: between,
        written: { if setsOutEarly { written(shape.part(ofLayer: cell), $0) } })
      guard isComplete else { return }
      dropWeightGradients(gradient, subtreeStride: subtreeStride, ofLayer: cell, step: step)
      finished(shape.part(ofLayer: cell))
    }
    for index in stride(from: shape.layers - 1, through: 0, by: -1) {
      let x = self.input(ofLayer: index, dropped: true)
      try backwardThroughTime(index, between: between)
      if let directions {
        directions.reverse(x, cells(ofLayer: index).reverse)
        try weightGradient(2 * index + 1, directions.reversed.pointer, between)
        try weightGradient(2 * index, x, between)
      } else {
        try weightGradient(index, x, between)
      }
      // Numbers that were read have no gradient.
      if index == 0 && embedding == nil { return }
      try inputGradient(ofLayer: index, step: step, between: between)
    }
    guard let embedding, case .tokens(let tokens) = input.timesteps(segments[segment], of: segments.last!.upperBound)
    else { preconditionFailure("the model reads tokens") }
    dropTokens(tokens, of: downward.pointer, step: step)
    embedding.backward(
      tokens: tokens, dx: downward.pointer, gradient: gradient, subtreeStride: subtreeStride, piece: piece(from: 0))
    if isComplete { finished(0) }
  }

  /// Backward through time of a layer, of what has reached it.
  func backwardThroughTime(_ index: Int, between: () throws -> Void) rethrows {
    guard let directions else {
      return try layers[index].backward(da: downward.pointer, continuing: !isLastSegment, between: between)
    }
    if !shape.readsEnds || index < shape.layers - 1 { directions.takeGradients(downward.pointer) }
    try directions.backward(cells(ofLayer: index).reverse, isReverse: true, between: between)
    try directions.backward(cells(ofLayer: index).forward, isReverse: false, between: between)
  }

  /// What reaches the layer below, or the embedding.
  func inputGradient(ofLayer index: Int, step: Int, between: () throws -> Void) rethrows {
    if let directions {
      try directions.inputGradient(cells(ofLayer: index), downward.pointer, between: between)
    } else {
      try layers[index].inputGradient(downward.pointer, between: between)
    }
    let units = index == 0 ? shape.inputs : shape.outputs
    drop(downward.pointer, to: downward.pointer, units: units, layer: index, step: step)
  }

  /// The gradient of the head's parameters, as far as the segment has outputs, and what reaches the highest layer.
  private func backwardFromHead(
    step: Int, gradient: UnsafeMutablePointer<Float>, subtreeStride: Int, between: () throws -> Void,
    finished: () -> Void
  ) rethrows {
    let start = shape.gradientShift + shape.outputRange.lowerBound
    if hasOutputs {
      try output.weightGradient(
        y: outputInput(dropped: true), using: outputProduct, pass: passIndex, gradient: gradient + start,
        subtreeStride: subtreeStride, piece: pooled == nil ? piece(from: start) : nil, between: between)
      if pooled != nil || segment == 0 { finished() }
    }
    try headInputGradient(step: step, between: between)
  }

  /// What reaches the highest layer from the head in the segment.
  func headInputGradient(step: Int, between: () throws -> Void) rethrows {
    guard let pooled else {
      try output.inputGradient(downward.pointer, between: between)
      penalized?.addActivation(
        to: downward.pointer, states: outputInput(dropped: true), rowCount: rows.order.count)
      drop(downward.pointer, to: downward.pointer, units: shape.outputs, layer: shape.layers, step: step)
      penalized?.addTemporal(
        to: downward.pointer, layer: layers[shape.layers - 1], isFirst: segment == 0, isLast: isLastSegment)
      return
    }
    if hasOutputs {
      try output.inputGradient(pooled.rows, between: between)
      dropPooled(pooled, step: step)
    }
    if let directions, shape.readsEnds {
      directions.takeEndGradients(pooled.rows)
    } else {
      pooled.put(downward.pointer, of: segments[segment])
    }
  }

  /// The piece of a gradient's chains that the segment is, for the part that begins at `start`; nil for the whole.
  private func piece(from start: Int) -> ChainPiece? {
    if segments.count == 1 { return nil }
    return ChainPiece(
      sums: chains.pointer + start, shardStride: shape.gradientCount, begins: isLastSegment, ends: segment == 0)
  }

  /// The tokens of the step's backward passes, ascending, each once; empty where the model reads numbers.
  package var tokensSeen: [Int32] { embedding?.seen ?? [] }

  /// Sets the rows of the embedding's gradients that the step's backward passes wrote to +0.0.
  package func clearEmbeddingGradient(_ gradient: UnsafeMutablePointer<Float>, subtreeStride: Int) {
    embedding?.clear(gradient: gradient, subtreeStride: subtreeStride)
  }
}
