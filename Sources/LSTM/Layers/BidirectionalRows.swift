import Kernels
import Plan

/// What the bidirectional layers of a model share: the lengths of the sequences of a pass, and memory for the layer that
/// is being computed.
///
/// Memory in floats: T·B·(max(Dp, Yp) + 2Hp), where Yp is 2H padded.
final class BidirectionalRows {
  /// x̄ of the layer, and after its weights have their gradient dx̄; [T, B, Dp].
  let reversed: FloatBuffer
  /// da and dā, [T, B, Hp] each.
  let da: FloatBuffer
  let daReverse: FloatBuffer
  private(set) var (timesteps, lanes) = (0, 0)
  /// n of each lane, [B].
  private(set) var lengths: [Int]

  init(_ shape: ModelShape, timesteps: Int, lanes: Int) {
    let rowCount = timesteps * lanes
    reversed = FloatBuffer(count: rowCount * max(padded(shape.inputs), padded(shape.outputs)))
    da = FloatBuffer(count: rowCount * padded(shape.hidden))
    daReverse = FloatBuffer(count: rowCount * padded(shape.hidden))
    lengths = Array(repeating: 0, count: lanes)
  }

  /// Bytes of these, and of the outputs of all layers.
  static func bytes(_ shape: ModelShape, timesteps: Int, lanes: Int) -> Int {
    let (Dp, Yp, Hp) = (padded(shape.inputs), padded(shape.outputs), padded(shape.hidden))
    return timesteps * lanes * (shape.layersReadAtEveryStep * Yp + max(Dp, Yp) + 2 * Hp) * MemoryLayout<Float>.stride
  }

  /// What follows is about sequences of these lengths; nil for T everywhere.
  func use(_ rows: ShardedRows, lengths given: UnsafeBufferPointer<Int32>?) {
    (timesteps, lanes) = (rows.timesteps, rows.lanes)
    for lane in 0..<lanes { lengths[lane] = given.map { Int($0[lane]) } ?? timesteps }
  }

  /// Each row t·B + lane with its mirror image (n − 1 − t)·B + lane; nil behind the end of the sequence.
  func forEach(_ body: (_ row: Int, _ mirrored: Int?) -> Void) {
    for t in 0..<timesteps {
      for lane in 0..<lanes {
        let n = lengths[lane]
        body(t * lanes + lane, t < n ? (n - 1 - t) * lanes + lane : nil)
      }
    }
  }
}
