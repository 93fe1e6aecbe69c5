extension SequenceModel {
  /// Computes a step again, and finds the first number that is infinite or NaN, in the order of computation; nil where
  /// there is none before the gradients of the parameters. Padding is passed over, and so are logits without a target:
  /// none of it counts. The pass must have been selected and its states written; what else the model holds is used up.
  /// Arguments as in `forward` and `loss`.
  package func firstNonFinite(
    _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>, targets: SequenceTargets,
    parameters: UnsafePointer<Float>, step: Int, scale: Float
  ) -> NonFiniteValue? {
    let search = NonFiniteSearch(self, lengths: lengths)
    observe = { search.look(at: $0) }
    defer { observe = nil }
    forward(input, lengths: lengths, parameters: parameters, step: step, between: {})
    if let first = search.first { return first }
    var losses = [Double](repeating: 0, count: rows.shardLanes.count)
    for index in segments.indices.reversed() {
      recompute(segment: index, input, lengths: lengths, parameters: parameters, step: step, between: {})
      losses.withUnsafeMutableBufferPointer {
        loss(targets: targets, scale: scale, shardLosses: $0, between: {})
      }
      backward(input, step: step, gradient: nil, subtreeStride: 0, between: {}, finished: { _ in })
    }
    return search.first
  }
}

/// Keeps the first number that is not finite, in the order of computation, of all that it sees.
private final class NonFiniteSearch {
  private(set) var first: NonFiniteValue?
  private unowned let model: SequenceModel
  private let lengths: UnsafeBufferPointer<Int32>

  init(_ model: SequenceModel, lengths: UnsafeBufferPointer<Int32>) {
    (self.model, self.lengths) = (model, lengths)
  }

  func look(at observation: Observation) {
    switch observation.numbers {
    case .matrix(let numbers, let rows, let stride, let columns):
      for row in 0..<rows { look(at: numbers + row * stride, count: columns, row: row, observation) }
    case .row(let row, let numbers, let firstColumn):
      look(at: numbers.baseAddress!, count: numbers.count, row: row, firstColumn: firstColumn, observation)
    case .loss(let row, let loss):
      if !loss.isFinite { keep(Float(loss), row: row, column: 0, observation) }
    }
  }

  private func look(
    at numbers: UnsafePointer<Float>, count: Int, row: Int, firstColumn: Int = 0, _ observation: Observation
  ) {
    guard let column = (0..<count).first(where: { !numbers[$0].isFinite }) else { return }
    keep(numbers[column], row: row, column: firstColumn + column, observation)
  }

  private func keep(_ value: Float, row: Int, column: Int, _ observation: Observation) {
    guard let (timestep, lane) = place(row, observation.rows) else { return }
    let found = NonFiniteValue(
      quantity: observation.quantity, layer: observation.cell, timestep: timestep, lane: lane, unit: column,
      value: value)
    if let first, !order(of: found).lexicographicallyPrecedes(order(of: first)) { return }
    first = found
  }

  /// Timestep and lane of a row; nil for padding.
  private func place(_ row: Int, _ rows: Observation.Rows) -> (timestep: Int, lane: Int)? {
    switch rows {
    case .timesteps:
      let (t, lane) = row.quotientAndRemainder(dividingBy: model.rows.lanes)
      let timestep = model.segments[model.segment].lowerBound + t
      return timestep < lengths[lane] ? (timestep, lane) : nil
    case .sequences: return lengths[row] > 0 ? (Int(lengths[row]) - 1, row) : nil
    }
  }

  /// But for the unit: within a row the first that is seen counts, which may be that of the output layer before that of
  /// a tail.
  private func order(of value: NonFiniteValue) -> ArraySlice<Int> {
    value.order(layers: model.shape.lstm.count, timesteps: model.segments.last!.upperBound).dropLast()
  }
}
