/// Called with the numbers of a step as soon as the walk has computed them.
typealias Observer = (Observation) -> Void

/// Numbers that the walk over a model has computed.
struct Observation {
  let quantity: NonFiniteValue.Quantity
  /// The cell, an index of `SequenceModel.cells`; nil for what is in none.
  let cell: Int?
  let rows: Rows
  let numbers: Numbers

  /// Which timestep and lane a row is of.
  enum Rows {
    /// [T, B] of the segment that is in memory, or the first B of these.
    case timesteps
    /// [B], each that of a whole sequence.
    case sequences
  }

  enum Numbers {
    /// Row-major, without the padding.
    case matrix(UnsafePointer<Float>, rows: Int, stride: Int, columns: Int)
    /// Numbers of one row, the first of which is called `firstColumn`.
    case row(Int, UnsafeMutableBufferPointer<Float>, firstColumn: Int)
    case loss(row: Int, Double)
  }

  init(_ quantity: NonFiniteValue.Quantity, cell: Int? = nil, _ rows: Rows, _ numbers: Numbers) {
    (self.quantity, self.cell, self.rows, self.numbers) = (quantity, cell, rows, numbers)
  }
}

extension LSTMLayer {
  /// The states before the segment where a window begins with it, and what `forward` has computed.
  func observeForward(cell index: Int, isFirst: Bool, _ observe: Observer) {
    if isFirst {
      observe(states(.initialHidden, index, hidden(0), rows: lanes))
      observe(states(.initialCell, index, cell(0), rows: lanes))
    }
    observeGates([.updateGate, .forgetGate, .outputGate, .candidate], index, observe)
    observe(states(.cell, index, cell(1), rows: timesteps * lanes))
    observe(states(.hidden, index, hidden(1), rows: timesteps * lanes))
  }

  /// What `backward` has computed.
  func observeBackward(cell index: Int, _ observe: Observer) {
    observeGates([.dUpdateGate, .dForgetGate, .dOutputGate, .dCandidate], index, observe)
  }

  private func states(
    _ quantity: NonFiniteValue.Quantity, _ index: Int, _ pointer: UnsafePointer<Float>, rows: Int
  ) -> Observation {
    Observation(
      quantity, cell: index, .timesteps,
      .matrix(pointer, rows: rows, stride: hiddenStride, columns: shape.hidden))
  }

  private func observeGates(_ quantities: [NonFiniteValue.Quantity], _ index: Int, _ observe: Observer) {
    for (gate, quantity) in zip(Gate.allCases, quantities) {
      observe(
        Observation(
          quantity, cell: index, .timesteps,
          .matrix(
            gates(0) + gate.rawValue * hiddenStride, rows: timesteps * lanes, stride: 4 * hiddenStride,
            columns: shape.hidden)))
    }
  }
}

extension Head {
  var observedRows: Observation.Rows { readout.rows == nil ? .timesteps : .sequences }

  /// The logits, or dlogits, of the rows with a target: those of the output layer, then those of a tail, whose classes
  /// are called by their numbers among all.
  func observeLogits(_ quantity: NonFiniteValue.Quantity, _ targets: SequenceTargets, _ observe: Observer) {
    for row in 0..<rows.order.count where targets.has(row: row, outputs: output.classes) {
      observe(Observation(quantity, observedRows, .row(row, output.logits(row: row), firstColumn: 0)))
      guard let tails = loss.tails, let member = tails.member(ofRow: row) else { continue }
      let firstClass = tails.firstClass(ofRow: row)
      observe(Observation(quantity, observedRows, .row(row, member.logits, firstColumn: firstClass)))
    }
  }
}
