/// The first number of a step that is infinite or NaN, and where it came up.
package struct NonFiniteValue: Equatable, Sendable {
  /// What a number is, in the order in which a timestep computes them.
  package enum Quantity: Int, CaseIterable, Sendable {
    /// What the lowest layer reads.
    case input
    /// a and c before the first timestep.
    case initialHidden, initialCell
    /// (F2) and (F3)
    case updateGate, forgetGate, outputGate, candidate
    /// (F4) and (F5)
    case cell, hidden
    /// Before the softmax.
    case logit
    /// Cross-entropy of a row, and its gradient.
    case loss, dLogit
    /// What reaches the highest layer from the output.
    case dHidden
    /// (B4), (B5), (B2) and (B3), in the order of the gates.
    case dUpdateGate, dForgetGate, dOutputGate, dCandidate
    /// (B8): what reaches the layer below.
    case dInput
  }

  /// What it is.
  package let quantity: Quantity
  /// The LSTM layer, 0 for the lowest; nil for what is in none. Of bidirectional layers it is the cell: 2l and 2l + 1 are
  /// those of layer l, and the second counts its timesteps from the end of the sequence.
  package let layer: Int?
  /// From 0.
  package let timestep: Int
  /// From 0: of the rank's lanes, or of the global batch.
  package let lane: Int
  /// Which number of the lane's row: a hidden unit, an input, a class.
  package let unit: Int
  /// The number.
  package let value: Float

  /// A number with its place.
  package init(quantity: Quantity, layer: Int?, timestep: Int, lane: Int, unit: Int, value: Float) {
    self.quantity = quantity
    self.layer = layer
    self.timestep = timestep
    self.lane = lane
    self.unit = unit
    self.value = value
  }

  /// The same number where lanes are counted from another one.
  package func shifted(lanes: Int) -> NonFiniteValue {
    NonFiniteValue(
      quantity: quantity, layer: layer, timestep: timestep, lane: lane + lanes, unit: unit, value: value)
  }

  /// The place in the order of computation, for comparison number by number, each at least 0: phase of the step,
  /// timestep in the order of the phase, lane, quantity, unit. Forward the phases are the input, the layers from the
  /// lowest, the output layer, the loss; backward what reaches the highest layer, then of each layer the gates over
  /// descending t, and its inputs.
  package func order(layers: Int, timesteps: Int) -> [Int] {
    let below = layers - 1 - (layer ?? 0)
    let phase =
      switch quantity {
      case .input: 0
      case .initialHidden, .initialCell, .updateGate, .forgetGate, .outputGate, .candidate, .cell, .hidden:
        1 + (layer ?? 0)
      case .logit: 1 + layers
      case .loss, .dLogit: 2 + layers
      case .dHidden: 3 + layers
      case .dUpdateGate, .dForgetGate, .dOutputGate, .dCandidate: 4 + layers + 2 * below
      case .dInput: 5 + layers + 2 * below
      }
    let time =
      switch quantity {
      case .initialHidden, .initialCell: 0
      case .dUpdateGate, .dForgetGate, .dOutputGate, .dCandidate: timesteps - timestep
      default: 1 + timestep
      }
    return [phase, time, lane, quantity.rawValue, unit]
  }
}
