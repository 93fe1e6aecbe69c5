import Kernels

/// Between input, layers and head: the rows that each of them reads.
extension SequenceModel {
  /// What the lowest layer reads. Embedded tokens are dropped as Zaremba et al. do; numbers are not, for they are the
  /// data itself, not features that the model could learn twice. Rows behind a lane's end are zero, whatever stands
  /// there.
  func read(
    _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>?, parameters: UnsafePointer<Float>, step: Int?
  ) {
    switch input.timesteps(segments[segment], of: segments.last!.upperBound) {
    case .tokens(let tokens):
      precondition(tokens.count == rows.order.count, "tokens of another window")
      guard let embedding else { preconditionFailure("the model reads numbers") }
      embedding.forward(
        tokens: tokens, table: parameters + shape.embeddingRange!.lowerBound, x: inputs.pointer)
      if let step {
        dropTokens(tokens, of: inputs.pointer, step: step)
        drop(inputs.pointer, to: inputs.pointer, units: shape.inputs, layer: 0, step: step)
      }
    case .numbers(let numbers): copy(numbers, lengths: lengths)
    }
    observe?(Observation(.input, .timesteps, timestepRows(inputs.pointer, columns: shape.inputs)))
  }

  private func copy(_ numbers: UnsafeBufferPointer<Float>, lengths: UnsafeBufferPointer<Int32>?) {
    let (D, stride, first) = (shape.inputs, padded(shape.inputs), segments[segment].lowerBound)
    precondition(embedding == nil, "the model reads tokens")
    precondition(numbers.count == rows.order.count * D, "numbers of another window")
    for row in 0..<rows.order.count {
      let (t, lane) = row.quotientAndRemainder(dividingBy: rows.lanes)
      let x = inputs.pointer + row * stride
      if let lengths, first + t >= Int(lengths[lane]) {
        x.update(repeating: 0, count: D)
      } else {
        x.update(from: numbers.baseAddress! + row * D, count: D)
      }
    }
  }

  /// The gradient of the embedding, of what has reached its rows.
  func embeddingGradient(
    _ input: SequenceInput, _ gradient: UnsafeMutablePointer<Float>, subtreeStride: Int,
    finished: (_ part: Int) -> Void
  ) {
    embedding?.backward(
      tokens: tokens(input), dx: downward.pointer, gradient: gradient, subtreeStride: subtreeStride,
      piece: piece(from: 0))
    if segment == 0 { finished(0) }
  }

  /// Tokens of the segment.
  func tokens(_ input: SequenceInput) -> UnsafeBufferPointer<Int32> {
    guard case .tokens(let tokens) = input.timesteps(segments[segment], of: segments.last!.upperBound) else {
      preconditionFailure("the model reads tokens")
    }
    return tokens
  }

  /// The tokens of the step's backward passes, ascending, each once; empty where the model reads numbers.
  package var tokensSeen: [Int32] { embedding?.seen ?? [] }

  /// Sets the rows of the embedding's gradients that the step's backward passes wrote to +0.0.
  package func clearEmbeddingGradient(_ gradient: UnsafeMutablePointer<Float>, subtreeStride: Int) {
    embedding?.clear(gradient: gradient, subtreeStride: subtreeStride)
  }

  // MARK: Layers

  /// What layer `index` reads, [T, B, stride]; index L is a head of every timestep.
  func input(ofLayer index: Int) -> UnsafePointer<Float> {
    if index == 0 { return UnsafePointer(inputs.pointer) }
    if dropsOut && !dropped.isEmpty { return UnsafePointer(dropped[index - 1].buffer.pointer) }
    return UnsafePointer(layers[index - 1].output)
  }

  func cellIndices(ofLayer index: Int) -> Range<Int> {
    shape.directions * index..<shape.directions * (index + 1)
  }

  // MARK: Head

  /// y, what the head reads, a row for each of its `rows`.
  var headInput: UnsafePointer<Float> {
    head.readout.rows.map { UnsafePointer($0) } ?? input(ofLayer: shape.layers)
  }

  /// The targets of the segment.
  func targetsOfSegment(_ targets: SequenceTargets) -> SequenceTargets {
    let own =
      shape.head.isPooled ? targets : targets.timesteps(segments[segment], of: segments.last!.upperBound)
    let rowCount = head.rows.order.count
    let fits =
      switch (own, shape.head) {
      case (.classes(let classes), .everyStep), (.classes(let classes), .pooled): classes.count == rowCount
      case (.numbers(let numbers), .pooledNumbers(let count)), (.numbers(let numbers), .everyStepUnits(let count)):
        numbers.count == rowCount * count
      default: false
      }
    precondition(fits, "targets of another window or head")
    return own
  }

  /// Logits after `forward` or `recompute`, before the softmax, of a lane counted from the pass's first; of an adaptive
  /// softmax the logarithms of all probabilities, valid until the next call. With a head at every timestep those at `t`
  /// of the segment; with a pooled one `t` must be nil.
  package func logits(lane: Int, t: Int? = nil) -> UnsafeBufferPointer<Float> {
    precondition((t == nil) == shape.head.isPooled, "a timestep for a head at every timestep, and for no other")
    return head.logits(row: (t ?? 0) * rows.lanes + lane, y: headInput)
  }

  // MARK: Observations

  /// [T, B] of the segment.
  func timestepRows(_ pointer: UnsafePointer<Float>, columns: Int) -> Observation.Numbers {
    .matrix(pointer, rows: rows.order.count, stride: padded(columns), columns: columns)
  }

  /// What has reached the highest layer; of bidirectional layers whose ends are read one row a lane.
  var gradientOfHighest: Observation {
    guard shape.readsEnds, let ends = head.readout.rows else {
      return Observation(.dHidden, .timesteps, timestepRows(downward.pointer, columns: shape.outputs))
    }
    return Observation(
      .dHidden, .sequences,
      .matrix(ends, rows: rows.lanes, stride: padded(shape.outputs), columns: shape.outputs))
  }
}
