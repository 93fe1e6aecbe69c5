/// Sizes of one LSTM layer.
package struct LSTMShape: Equatable, Sendable {
  /// D, inputs of a timestep, e.g. 128.
  package let inputs: Int
  /// H, hidden units, e.g. 512.
  package let hidden: Int

  /// A layer of `hidden` units that reads `inputs` numbers a timestep.
  package init(inputs: Int, hidden: Int) {
    self.inputs = inputs
    self.hidden = hidden
  }

  /// Rows of W with b below it: [x, aPrev, 1], so D + H + 1.
  package var rows: Int { inputs + hidden + 1 }
  /// Columns of W, gate after gate: 4·H.
  package var columns: Int { 4 * hidden }
  /// Numbers in W and b together.
  package var parameterCount: Int { rows * columns }

  /// The shapes of a stack of layers, the first of which reads `inputs`, with one or two cells each.
  package static func stack(inputs: Int, hidden: Int, layers: Int, directions: Int = 1) -> [LSTMShape] {
    (0..<layers * directions).map {
      LSTMShape(inputs: $0 < directions ? inputs : directions * hidden, hidden: hidden)
    }
  }

  /// Floating-point operations of a step of a stack over T·B rows, 6·T·B·Σ 4H(D + H): forward once, and backward to the
  /// gradients of weights and of inputs.
  package static func flopsPerStep(_ stack: [LSTMShape], timesteps: Int, lanes: Int) -> Double {
    let products = stack.reduce(0.0) { $0 + Double($1.columns) * Double($1.inputs + $1.hidden) }
    return 6 * Double(timesteps) * Double(lanes) * products
  }
}
