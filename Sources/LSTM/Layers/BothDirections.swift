import Kernels
import Plan

/// The way back of bidirectional layers (Schuster and Paliwal, "Bidirectional Recurrent Neural Networks", 1997). Every
/// layer has a second cell, the reverse one, which reads each sequence from its own end to its beginning; what is above
/// reads both. With n the length of a sequence, t < n, bars for the reverse cell, whose time begins at the end:
///
///   (R1) x̄⟨t⟩ = x⟨n − 1 − t⟩                (R2) y⟨t⟩ = [a⟨t⟩, ā⟨n − 1 − t⟩]
///   (R3) da⟨t⟩ = the first H columns of dy⟨t⟩, dā⟨t⟩ = the others of dy⟨n − 1 − t⟩
///   (R4) dx⟨t⟩ += dx̄⟨n − 1 − t⟩             (R5) at the end y = [a⟨n − 1⟩, ā⟨n − 1⟩], the two ends
///
/// Rows behind the end of a sequence are zero.
///
/// Memory in floats: T·B·(max(Dp, Yp) + 2Hp), and T·B·Yp for each layer whose output is read at every timestep, where Yp
/// is 2H padded.
final class BothDirections {
  private let joined: [SequenceModel.Activations]
  /// x̄ of the layer that is computed, and after its weights have their gradient dx̄; [T, B, Dp].
  let reversed: FloatBuffer
  /// da of the two cells, [T, B, Hp] each.
  private let daForward: FloatBuffer
  private let daReverse: FloatBuffer
  private let units: Int
  private var (timesteps, lanes) = (0, 0)
  /// n of each lane, [B].
  private var lengths: [Int]

  init(_ shape: ModelShape, timesteps: Int, lanes: Int) {
    units = shape.hidden
    let rowCount = timesteps * lanes
    joined = (0..<shape.layersReadAtEveryStep).map { _ in
      SequenceModel.Activations(count: rowCount * padded(shape.outputs))
    }
    reversed = FloatBuffer(count: rowCount * max(padded(shape.inputs), padded(shape.outputs)))
    daForward = FloatBuffer(count: rowCount * padded(units))
    daReverse = FloatBuffer(count: rowCount * padded(units))
    lengths = Array(repeating: 0, count: lanes)
  }

  /// Bytes of all that `init` allocates.
  static func bytes(_ shape: ModelShape, timesteps: Int, lanes: Int) -> Int {
    let (Dp, Yp, Hp) = (padded(shape.inputs), padded(shape.outputs), padded(shape.hidden))
    return timesteps * lanes * (shape.layersReadAtEveryStep * Yp + max(Dp, Yp) + 2 * Hp) * MemoryLayout<Float>.stride
  }

  /// What follows is about sequences of these lengths; nil for T everywhere.
  func use(_ rows: ShardedRows, lengths given: UnsafeBufferPointer<Int32>?) {
    (timesteps, lanes) = (rows.timesteps, rows.lanes)
    for lane in 0..<lanes { lengths[lane] = given.map { Int($0[lane]) } ?? timesteps }
  }

  /// What is read of a layer at every timestep, [T, B, Yp].
  func output(ofLayer index: Int) -> UnsafeMutablePointer<Float> { joined[index].buffer.pointer }

  // MARK: Forward

  /// Both cells of a layer over x [T, B, Dp], and what is read of them at every timestep.
  func forward(
    _ index: Int, _ cells: (forward: LSTMLayer, reverse: LSTMLayer), x: UnsafePointer<Float>,
    between: () throws -> Void
  ) rethrows {
    try cells.forward.forward(x: x, between: between)
    reverse(x, cells.reverse)
    try cells.reverse.forward(x: reversed.pointer, between: between)
    guard index < joined.count else { return }
    // (R2) y⟨t⟩ = [a⟨t⟩, ā⟨n − 1 − t⟩]
    let (y, Yp, Hp) = (output(ofLayer: index), padded(2 * units), cells.forward.hiddenStride)
    forEachRow { row, mirrored in
      guard let mirrored else { return (y + row * Yp).update(repeating: 0, count: Yp) }
      (y + row * Yp).update(from: cells.forward.hidden(1) + row * Hp, count: units)
      (y + row * Yp + units).update(from: cells.reverse.hidden(1) + mirrored * Hp, count: units)
    }
  }

  /// (R1) x̄⟨t⟩ = x⟨n − 1 − t⟩
  func reverse(_ x: UnsafePointer<Float>, _ cell: LSTMLayer) {
    let stride = cell.inputStride
    forEachRow { row, mirrored in
      let to = reversed.pointer + row * stride
      if let mirrored {
        to.update(from: x + mirrored * stride, count: stride)
      } else {
        to.update(repeating: 0, count: stride)
      }
    }
  }

  /// (R5) The two ends of each lane, [B, Yp]; zeros where there is no sequence.
  func takeEnds(_ cells: (forward: LSTMLayer, reverse: LSTMLayer), to rows: UnsafeMutablePointer<Float>) {
    let (Yp, Hp) = (padded(2 * units), cells.forward.hiddenStride)
    for lane in 0..<lanes {
      let (row, n) = (rows + lane * Yp, lengths[lane])
      if n == 0 {
        row.update(repeating: 0, count: Yp)
      } else {
        row.update(from: cells.forward.hidden(n) + lane * Hp, count: units)
        (row + units).update(from: cells.reverse.hidden(n) + lane * Hp, count: units)
      }
    }
  }

  // MARK: Backward

  /// (R3) for a layer that is read at every timestep. dy [T, B, Yp].
  func takeGradients(_ dy: UnsafePointer<Float>) {
    let (Yp, Hp) = (padded(2 * units), padded(units))
    forEachRow { row, mirrored in
      let (forward, reverse) = (daForward.pointer + row * Hp, daReverse.pointer + row * Hp)
      // A step that was not finite has left NaN behind the units too.
      forward.update(repeating: 0, count: Hp)
      reverse.update(repeating: 0, count: Hp)
      if let mirrored {
        forward.update(from: dy + row * Yp, count: units)
        reverse.update(from: dy + mirrored * Yp + units, count: units)
      }
    }
  }

  /// (R5): what reaches the two ends, zeros everywhere else. rows [B, Yp].
  func takeEndGradients(_ rows: UnsafePointer<Float>) {
    let (Yp, Hp) = (padded(2 * units), padded(units))
    daForward.zero()
    daReverse.zero()
    for lane in 0..<lanes where lengths[lane] > 0 {
      let row = (lengths[lane] - 1) * lanes + lane
      (daForward.pointer + row * Hp).update(from: rows + lane * Yp, count: units)
      (daReverse.pointer + row * Hp).update(from: rows + lane * Yp + units, count: units)
    }
  }

  /// Backward through time of one of the two cells, after `takeGradients` or `takeEndGradients`.
  func backward(_ cell: LSTMLayer, isReverse: Bool, between: () throws -> Void) rethrows {
    try cell.backward(da: isReverse ? daReverse.pointer : daForward.pointer, between: between)
  }

  /// After the gradients of all weights of a layer: dx [T, B, Dp] of both cells.
  func inputGradient(
    _ cells: (forward: LSTMLayer, reverse: LSTMLayer), _ dx: UnsafeMutablePointer<Float>,
    between: () throws -> Void
  ) rethrows {
    try cells.forward.inputGradient(dx, between: between)
    try cells.reverse.inputGradient(reversed.pointer, between: between)
    let stride = cells.forward.inputStride
    // (R4) dx⟨t⟩ += dx̄⟨n − 1 − t⟩
    forEachRow { row, mirrored in
      guard let mirrored else { return }
      add(dx + row * stride, reversed.pointer + mirrored * stride, count: stride)
    }
  }

  /// Each row t·B + lane with its mirror image (n − 1 − t)·B + lane; nil behind the end of the sequence.
  private func forEachRow(_ body: (_ row: Int, _ mirrored: Int?) -> Void) {
    for t in 0..<timesteps {
      for lane in 0..<lanes {
        let n = lengths[lane]
        body(t * lanes + lane, t < n ? (n - 1 - t) * lanes + lane : nil)
      }
    }
  }
}
