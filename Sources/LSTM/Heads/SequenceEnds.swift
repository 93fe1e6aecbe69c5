import Kernels

/// What a pooled head reads of a bidirectional layer with `Pooling.last`: a row for each lane. With n the length of a
/// sequence, bars for the reverse cell:
///
///   (R5) y = [a⟨n − 1⟩, ā⟨n − 1⟩], the two ends     and back da⟨n − 1⟩, dā⟨n − 1⟩ = dy, every other da is 0
///
/// A lane without a sequence has a row of zeros, and takes none back.
///
/// Memory: B·Yp floats.
final class SequenceEnds {
  private let layer: BidirectionalLayer
  private let memory: FloatBuffer
  private let stride: Int
  private var units: Int { layer.cell.shape.hidden }

  init(of layer: BidirectionalLayer, lanes: Int) {
    self.layer = layer
    stride = padded(2 * layer.cell.shape.hidden)
    memory = FloatBuffer(count: lanes * stride)
  }

  /// [B, Yp]: y after `take`, to be replaced by dy before `put`.
  var rows: UnsafeMutablePointer<Float> { memory.pointer }

  /// (R5) y = [a⟨n − 1⟩, ā⟨n − 1⟩]
  func take() {
    let Hp = layer.cell.hiddenStride
    for lane in 0..<layer.rows.lanes {
      let (y, n) = (rows + lane * stride, layer.rows.lengths[lane])
      if n == 0 {
        y.update(repeating: 0, count: stride)
      } else {
        y.update(from: layer.cell.hidden(n) + lane * Hp, count: units)
        (y + units).update(from: layer.reverseCell.hidden(n) + lane * Hp, count: units)
      }
    }
  }

  /// (R5) da⟨n − 1⟩, dā⟨n − 1⟩ = dy, and zeros everywhere else.
  func put() {
    let (shared, Hp) = (layer.rows, layer.cell.hiddenStride)
    shared.da.zero()
    shared.daReverse.zero()
    for lane in 0..<shared.lanes where shared.lengths[lane] > 0 {
      let (dy, row) = (rows + lane * stride, (shared.lengths[lane] - 1) * shared.lanes + lane)
      (shared.da.pointer + row * Hp).update(from: dy, count: units)
      (shared.daReverse.pointer + row * Hp).update(from: dy + units, count: units)
    }
  }
}
