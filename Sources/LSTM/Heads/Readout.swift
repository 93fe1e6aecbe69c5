/// The rows that a head reads of the highest layer, and where their gradient goes.
enum Readout {
  /// The rows of the layer as they are.
  case everyTimestep
  /// A row for each lane.
  case pooled(PooledStates)
  /// A row for each lane, of bidirectional layers.
  case ends(SequenceEnds)

  init(_ shape: ModelShape, of highest: RecurrentLayer, timesteps: Int, lanes: Int) {
    guard shape.head.isPooled else {
      self = .everyTimestep
      return
    }
    if shape.readsEnds, case .bothDirections(let layer) = highest {
      self = .ends(SequenceEnds(of: layer, lanes: lanes))
    } else {
      self = .pooled(PooledStates(shape.pooling, timesteps: timesteps, lanes: lanes, units: shape.outputs))
    }
  }

  /// Of a pooled head its rows, [B, Yp]: y after `take`, to be replaced by dy before `put`. Else nil.
  var rows: UnsafeMutablePointer<Float>? {
    switch self {
    case .everyTimestep: nil
    case .pooled(let states): states.rows
    case .ends(let ends): ends.rows
    }
  }

  func use(lanes: Int) {
    if case .pooled(let states) = self { states.use(lanes: lanes) }
  }

  /// Forward: what `segment` has for the rows. y [T, B, Yp] of it; lengths [B], nil for T everywhere.
  func take(_ y: UnsafePointer<Float>, of segment: Range<Int>, lengths: UnsafeBufferPointer<Int32>?) {
    switch self {
    case .everyTimestep: return
    case .pooled(let states): states.take(y, of: segment, lengths: lengths)
    case .ends(let ends): ends.take()
    }
  }

  /// Backward: the gradient of the rows becomes that of the layer, dy [T, B, Yp] of `segment`; of the two ends
  /// the cells take theirs directly.
  func put(_ dy: UnsafeMutablePointer<Float>, of segment: Range<Int>) {
    switch self {
    case .everyTimestep: return
    case .pooled(let states): states.put(dy, of: segment)
    case .ends(let ends): ends.put()
    }
  }
}
