import Kernels

/// A bidirectional layer (Schuster and Paliwal, "Bidirectional Recurrent Neural Networks", 1997): beside its cell a
/// reverse one, which reads each sequence from its own end to its beginning; what is above reads both. With n the length
/// of a sequence, t < n, bars for the reverse cell, whose time begins at the end:
///
///   (R1) x̄⟨t⟩ = x⟨n − 1 − t⟩                (R2) y⟨t⟩ = [a⟨t⟩, ā⟨n − 1 − t⟩]
///   (R3) da⟨t⟩ = the first H columns of dy⟨t⟩, dā⟨t⟩ = the others of dy⟨n − 1 − t⟩
///   (R4) dx⟨t⟩ += dx̄⟨n − 1 − t⟩
///
/// Rows behind the end of a sequence are zero.
///
/// Memory in floats: T·B·Yp where the output is read at every timestep, Yp being 2H padded; `BidirectionalRows` for all
/// layers together.
final class BidirectionalLayer {
  let cell: LSTMLayer
  let reverseCell: LSTMLayer
  let rows: BidirectionalRows
  /// y, [T, B, Yp]; empty where only the two ends are read.
  private let joined: FloatBuffer

  /// A layer whose sequences and gradients pass through `rows`, which all layers of a model share.
  init(cell: LSTMLayer, reverseCell: LSTMLayer, rows: BidirectionalRows, outputFloats: Int) {
    (self.cell, self.reverseCell, self.rows) = (cell, reverseCell, rows)
    joined = FloatBuffer(count: outputFloats)
  }

  /// y, [T, B, Yp].
  var output: UnsafeMutablePointer<Float> { joined.pointer }

  private var units: Int { cell.shape.hidden }

  // MARK: Forward

  /// Both cells over x [T, B, Dp], and y where it is read at every timestep.
  func forward(x: UnsafePointer<Float>, between: () throws -> Void) rethrows {
    try cell.forward(x: x, between: between)
    try reverseCell.forward(x: reversed(x), between: between)
    if joined.count > 0 { join() }
  }

  /// (R1) x̄⟨t⟩ = x⟨n − 1 − t⟩, valid until a layer's next call.
  func reversed(_ x: UnsafePointer<Float>) -> UnsafePointer<Float> {
    let stride = cell.inputStride
    rows.forEach { row, mirrored in
      let to = rows.reversed.pointer + row * stride
      if let mirrored {
        to.update(from: x + mirrored * stride, count: stride)
      } else {
        to.update(repeating: 0, count: stride)
      }
    }
    return UnsafePointer(rows.reversed.pointer)
  }

  /// (R2) y⟨t⟩ = [a⟨t⟩, ā⟨n − 1 − t⟩]
  private func join() {
    let (Yp, Hp) = (padded(2 * units), cell.hiddenStride)
    rows.forEach { row, mirrored in
      let y = output + row * Yp
      guard let mirrored else { return y.update(repeating: 0, count: Yp) }
      y.update(from: cell.hidden(1) + row * Hp, count: units)
      (y + units).update(from: reverseCell.hidden(1) + mirrored * Hp, count: units)
    }
  }

  // MARK: Backward

  /// Backward through time of both cells. dy [T, B, Yp]; nil where `SequenceEnds` has put what reaches the two ends.
  func backward(dy: UnsafePointer<Float>?, between: () throws -> Void) rethrows {
    if let dy { separate(dy) }
    try reverseCell.backward(da: rows.daReverse.pointer, between: between)
    try cell.backward(da: rows.da.pointer, between: between)
  }

  /// (R3) da⟨t⟩ = the first H columns of dy⟨t⟩, dā⟨t⟩ = the others of dy⟨n − 1 − t⟩
  private func separate(_ dy: UnsafePointer<Float>) {
    let (Yp, Hp) = (padded(2 * units), cell.hiddenStride)
    rows.forEach { row, mirrored in
      let (da, daReverse) = (rows.da.pointer + row * Hp, rows.daReverse.pointer + row * Hp)
      // A step that was not finite has left NaN behind the units too.
      da.update(repeating: 0, count: Hp)
      daReverse.update(repeating: 0, count: Hp)
      if let mirrored {
        da.update(from: dy + row * Yp, count: units)
        daReverse.update(from: dy + mirrored * Yp + units, count: units)
      }
    }
  }

  /// After the gradients of the weights: dx [T, B, Dp] of both cells.
  func inputGradient(_ dx: UnsafeMutablePointer<Float>, between: () throws -> Void) rethrows {
    try cell.inputGradient(dx, between: between)
    try reverseCell.inputGradient(rows.reversed.pointer, between: between)
    let stride = cell.inputStride
    // (R4) dx⟨t⟩ += dx̄⟨n − 1 − t⟩
    rows.forEach { row, mirrored in
      guard let mirrored else { return }
      add(dx + row * stride, rows.reversed.pointer + mirrored * stride, count: stride)
    }
  }
}
