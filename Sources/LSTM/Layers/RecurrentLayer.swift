/// A layer of a model: one LSTM cell that reads forward, or two that read in both directions.
enum RecurrentLayer {
  case oneDirection(LSTMLayer)
  case bothDirections(BidirectionalLayer)

  /// y, what is read of the layer at every timestep, [T, B, Yp]: a of its cell, or (R2).
  var output: UnsafeMutablePointer<Float> {
    switch self {
    case .oneDirection(let cell): cell.hidden(1)
    case .bothDirections(let layer): layer.output
    }
  }

  /// Forward over x [T, B, Dp].
  func forward(x: UnsafePointer<Float>, between: () throws -> Void) rethrows {
    switch self {
    case .oneDirection(let cell): try cell.forward(x: x, between: between)
    case .bothDirections(let layer): try layer.forward(x: x, between: between)
    }
  }

  /// Backward through time. dy [T, B, Yp] is what reaches y, and is used up; nil where `SequenceEnds` has put what
  /// reaches the two ends. `continuing` as `LSTMLayer.backward` has it.
  func backward(dy: UnsafeMutablePointer<Float>?, continuing: Bool, between: () throws -> Void) rethrows {
    switch self {
    case .oneDirection(let cell): try cell.backward(da: dy!, continuing: continuing, between: between)
    case .bothDirections(let layer): try layer.backward(dy: dy, between: between)
    }
  }

  /// Each cell with what it has read, the reverse one (1) before the other (0): the order in which parts of the gradient
  /// are finished. x [T, B, Dp].
  func forEachCellFromLast(
    x: UnsafePointer<Float>, _ body: (_ direction: Int, LSTMLayer, _ x: UnsafePointer<Float>) throws -> Void
  ) rethrows {
    switch self {
    case .oneDirection(let cell): try body(0, cell, x)
    case .bothDirections(let layer):
      try body(1, layer.reverseCell, layer.reversed(x))
      try body(0, layer.cell, x)
    }
  }

  /// After `backward` and the gradients of the weights: dx [T, B, Dp].
  func inputGradient(_ dx: UnsafeMutablePointer<Float>, between: () throws -> Void) rethrows {
    switch self {
    case .oneDirection(let cell): try cell.inputGradient(dx, between: between)
    case .bothDirections(let layer): try layer.inputGradient(dx, between: between)
    }
  }
}
