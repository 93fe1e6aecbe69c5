import Kernels

/// Hidden and cell states between windows.
extension SequenceModel {
  /// The state after the window becomes the state before the next one.
  package func carryState() { for cell in cells { cell.carryState() } }

  /// A lane, counted from the pass's first, begins the window with a state of zero.
  package func clearState(lane: Int) { for cell in cells { cell.clearState(lane: lane) } }

  /// Floats of the state of one lane: hidden and cell of every layer, without padding.
  package var stateSize: Int { 2 * shape.lstm.count * shape.hidden }

  /// Writes the states behind the window, lane after lane, [B, L, 2, H]: hidden, then cell; of a window of one segment
  /// also those behind `timesteps` of it, where the rest is padding.
  package func readState(into states: UnsafeMutablePointer<Float>, after timesteps: Int? = nil) {
    precondition(timesteps == nil || segments.count == 1 && timesteps! <= rows.timesteps, "states that are not there")
    forEachState(t: timesteps ?? rows.timesteps) { place, state in
      (states + place).update(from: state, count: shape.hidden)
    }
  }

  /// Sets the states before the window from what `readState` wrote. The padding is cleared: it may hold what a pass
  /// with fewer lanes left there, NaN after a step that was not finite.
  package func writeState(from states: UnsafePointer<Float>) {
    forEachState(t: 0) { place, state in
      state.update(from: states + place, count: shape.hidden)
      (state + shape.hidden).update(repeating: 0, count: padded(shape.hidden) - shape.hidden)
    }
  }

  /// Calls `body` from the first segment to the last, each of which begins with the states after the previous one. They
  /// are kept for `recompute`.
  func forEachSegment(_ body: (Range<Int>) throws -> Void) rethrows {
    for index in segments.indices {
      if index > 0 {
        carryState()
        use(segment: index)
      }
      keepStates()
      try body(segments[index])
    }
  }

  /// Keeps the states before the segment, where there are several.
  private func keepStates() {
    forEachBorder { border, state, count in border.update(from: state, count: count) }
  }

  /// Sets the states before the segment to those that `keepStates` kept.
  func restoreStates() {
    forEachBorder { border, state, count in state.update(from: border, count: count) }
  }

  /// Floats that `keepStates` keeps.
  static func borderFloats(_ shape: ModelShape, segments: Int, lanes: Int) -> Int {
    segments * shape.layers * 2 * lanes * padded(shape.hidden)
  }

  private func forEachBorder(_ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void) {
    if segments.count == 1 { return }
    var border = borders.pointer + SequenceModel.borderFloats(shape, segments: segment, lanes: rows.lanes)
    for cell in cells {
      for state in [cell.hidden(0), cell.cell(0)] {
        body(border, state, rows.lanes * cell.hiddenStride)
        border += rows.lanes * cell.hiddenStride
      }
    }
  }

  private func forEachState(t: Int, _ body: (Int, UnsafeMutablePointer<Float>) -> Void) {
    for lane in 0..<rows.lanes {
      for (index, cell) in cells.enumerated() {
        let place = lane * stateSize + index * 2 * shape.hidden
        body(place, cell.hidden(t) + lane * cell.hiddenStride)
        body(place + shape.hidden, cell.cell(t) + lane * cell.hiddenStride)
      }
    }
  }
}
