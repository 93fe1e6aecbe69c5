import Kernels

/// The rows of each lane's last timestep, taken out of [T, B, Hp] for a head that speaks once a sequence, and put back
/// as a gradient. A lane without a sequence has a row of zeros, and takes none back.
///
/// Memory: B·Hp floats.
final class LastSteps {
  private let timesteps: Int
  private var lanes: Int
  private let stride: Int
  private let memory: FloatBuffer
  /// Row of each lane among the T·B; nil where there is no sequence.
  private var lastRow: [Int?]

  /// Rows of up to `lanes` lanes: `units` numbers, padded to whole vectors.
  init(timesteps: Int, lanes: Int, units: Int) {
    self.timesteps = timesteps
    self.lanes = lanes
    stride = padded(units)
    memory = FloatBuffer(count: lanes * stride)
    lastRow = Array(repeating: nil, count: lanes)
  }

  /// The next pass has so many lanes, at most those of `init`.
  func use(lanes: Int) { self.lanes = lanes }

  /// [B, Hp]: the states after `take`, to be replaced by their gradient before `put`.
  var rows: UnsafeMutablePointer<Float> { memory.pointer }

  /// rows[lane, :] = states[length of the lane − 1, lane, :]. states [T, B, Hp]; lengths [B], nil for T everywhere.
  func take(_ states: UnsafePointer<Float>, lengths: UnsafeBufferPointer<Int32>?) {
    for lane in 0..<lanes {
      let length = lengths.map { Int($0[lane]) } ?? timesteps
      let row = rows + lane * stride
      if length > 0 {
        let from = (length - 1) * lanes + lane
        row.update(from: states + from * stride, count: stride)
        lastRow[lane] = from
      } else {
        row.update(repeating: 0, count: stride)
        lastRow[lane] = nil
      }
    }
  }

  /// Puts the rows back where they were taken from, and zeros everywhere else. da [T, B, Hp].
  func put(_ da: UnsafeMutablePointer<Float>) {
    da.update(repeating: 0, count: timesteps * lanes * stride)
    for lane in 0..<lanes {
      if let row = lastRow[lane] { (da + row * stride).update(from: rows + lane * stride, count: stride) }
    }
  }
}
