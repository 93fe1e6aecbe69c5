import Kernels

/// The rows of each lane's last timestep, taken out of [T, B, Hp] for a head that speaks once a sequence, and put back
/// as a gradient. A lane without a sequence has a row of zeros, and takes none back. A window may come in segments,
/// the first of them first: each gives and takes the rows whose timestep is in it.
///
/// Memory: B·Hp floats.
final class LastSteps {
  /// T, of the whole window.
  private let timesteps: Int
  private var lanes: Int
  private let stride: Int
  private let memory: FloatBuffer
  /// The last timestep of each lane; nil where there is no sequence.
  private var last: [Int?]

  /// Rows of up to `lanes` lanes: `units` numbers, padded to whole vectors.
  init(timesteps: Int, lanes: Int, units: Int) {
    self.timesteps = timesteps
    self.lanes = lanes
    stride = padded(units)
    memory = FloatBuffer(count: lanes * stride)
    last = Array(repeating: nil, count: lanes)
  }

  /// The next pass has so many lanes, at most those of `init`.
  func use(lanes: Int) { self.lanes = lanes }

  /// [B, Hp]: the states after `take`, to be replaced by their gradient before `put`.
  var rows: UnsafeMutablePointer<Float> { memory.pointer }

  /// rows[lane, :] = states[length of the lane − 1, lane, :], where `segment` has that timestep. states [T, B, Hp] of
  /// the segment; lengths [B], nil for T everywhere.
  func take(_ states: UnsafePointer<Float>, of segment: Range<Int>, lengths: UnsafeBufferPointer<Int32>?) {
    for lane in 0..<lanes {
      let length = lengths.map { Int($0[lane]) } ?? timesteps
      let row = rows + lane * stride
      last[lane] = length > 0 ? length - 1 : nil
      if length <= 0 {
        row.update(repeating: 0, count: stride)
      } else if segment.contains(length - 1) {
        row.update(from: states + ((length - 1 - segment.lowerBound) * lanes + lane) * stride, count: stride)
      }
    }
  }

  /// Puts the rows back where they were taken from, and zeros everywhere else. da [T, B, Hp] of the segment.
  func put(_ da: UnsafeMutablePointer<Float>, of segment: Range<Int>) {
    da.update(repeating: 0, count: segment.count * lanes * stride)
    for lane in 0..<lanes {
      guard let t = last[lane], segment.contains(t) else { continue }
      (da + ((t - segment.lowerBound) * lanes + lane) * stride).update(from: rows + lane * stride, count: stride)
    }
  }
}
