import Kernels

/// What a pooled head reads of the highest layer. With n the length of a sequence, t < n, j a unit:
///
///   (M1) last  y = a⟨n − 1⟩           (M4) da⟨n − 1⟩ = dy
///   (M2) mean  y = 1/n · Σ_t a⟨t⟩     (M5) da⟨t⟩ = dy / n
///   (M3) max   yⱼ = max_t aⱼ⟨t⟩       (M6) daⱼ⟨t⟩ = dyⱼ at the first t whose aⱼ⟨t⟩ is the largest
///
/// Every other da is 0. Of bidirectional layers a⟨t⟩ is y⟨t⟩ of both cells (R2), but `last` is their two
/// ends (R5).
package enum Pooling: String, CaseIterable, Sendable {
  /// The state at the last timestep, the mean over all timesteps, the largest of each unit.
  case last, mean, max
}

/// `Pooling` of the lanes of [T, B, Hp], which becomes a row for each lane, and put back as a gradient. A lane without a
/// sequence has a row of zeros, and takes none back. A window may come in segments, the first of them first: sums and
/// maxima go on from the rows as the segment before has left them.
///
/// Memory: B·Hp floats, and for maxima as many integers.
package final class PooledStates {
  private let kind: Pooling
  /// T, of the whole window.
  private let timesteps: Int
  private var lanes: Int
  private let stride: Int
  private let memory: FloatBuffer
  /// n of each lane, [B].
  private var lengths: [Int]
  /// Of maxima the first timestep that has them, [B, Hp]; −1 where there is none.
  private let first: UnsafeMutableBufferPointer<Int32>

  /// Rows of up to `lanes` lanes: `units` numbers, padded to whole vectors.
  package init(_ kind: Pooling, timesteps: Int, lanes: Int, units: Int) {
    self.kind = kind
    self.timesteps = timesteps
    self.lanes = lanes
    stride = padded(units)
    memory = FloatBuffer(count: lanes * stride)
    lengths = Array(repeating: 0, count: lanes)
    first = .allocate(capacity: kind == .max ? lanes * stride : 0)
    first.initialize(repeating: -1)
  }

  deinit { first.deallocate() }

  /// Bytes of the rows, and of the timesteps of maxima.
  static func bytes(_ kind: Pooling, lanes: Int, units: Int) -> Int {
    lanes * padded(units) * (MemoryLayout<Float>.stride + (kind == .max ? MemoryLayout<Int32>.stride : 0))
  }

  /// The next pass has `lanes` lanes, at most those of `init`.
  package func use(lanes: Int) { self.lanes = lanes }

  /// [B, Hp]: y after `take` of the last segment, to be replaced by dy before `put`.
  package var rows: UnsafeMutablePointer<Float> { memory.pointer }

  // MARK: Forward

  /// Takes what `segment` has of the states, [T, B, Hp] of it; lengths [B], nil for T everywhere.
  package func take(
    _ states: UnsafePointer<Float>, of segment: Range<Int>, lengths given: UnsafeBufferPointer<Int32>?
  ) {
    for lane in 0..<lanes {
      let n = given.map { Int($0[lane]) } ?? timesteps
      lengths[lane] = n
      if segment.lowerBound == 0 { begin(lane) }
      let y = rows + lane * stride
      for t in segment.clamped(to: 0..<n) {
        let a = states + ((t - segment.lowerBound) * lanes + lane) * stride
        switch kind {
        case .last: if t == n - 1 { y.update(from: a, count: stride) }  // (M1)
        case .mean: add(y, a, count: stride)  // (M2), the sum
        case .max: takeLarger(a, lane: lane, t: Int32(t))  // (M3)
        }
      }
      // (M2) y = 1/n · Σ_t a⟨t⟩
      if kind == .mean, segment.contains(n - 1) { for j in 0..<stride { y[j] /= Float(n) } }
    }
  }

  private func begin(_ lane: Int) {
    let hasMaximum = kind == .max && lengths[lane] > 0
    (rows + lane * stride).update(repeating: hasMaximum ? -.infinity : 0, count: stride)
    if kind == .max { first[lane * stride..<(lane + 1) * stride].update(repeating: -1) }
  }

  /// Only what is larger replaces, so that the first of equal ones stays; what is not a number stays too, for a loss to
  /// show it.
  private func takeLarger(_ a: UnsafePointer<Float>, lane: Int, t: Int32) {
    let (y, first) = (rows + lane * stride, first.baseAddress! + lane * stride)
    for j in 0..<stride {
      let replaces = a[j] > y[j] || a[j].isNaN
      y[j] = replaces ? a[j] : y[j]
      first[j] = replaces ? t : first[j]
    }
  }

  // MARK: Backward

  /// Hands dy to the states of the segment, and zeros to those that it does not reach. da [T, B, Hp] of the segment.
  package func put(_ da: UnsafeMutablePointer<Float>, of segment: Range<Int>) {
    da.update(repeating: 0, count: segment.count * lanes * stride)
    for lane in 0..<lanes {
      let (dy, n) = (rows + lane * stride, lengths[lane])
      for t in segment.clamped(to: 0..<n) {
        let da = da + ((t - segment.lowerBound) * lanes + lane) * stride
        switch kind {
        case .last: if t == n - 1 { da.update(from: dy, count: stride) }  // (M4)
        case .mean: for j in 0..<stride { da[j] = dy[j] / Float(n) }  // (M5)
        case .max: putWhereFirst(dy, da, lane: lane, t: Int32(t))  // (M6)
        }
      }
    }
  }

  private func putWhereFirst(
    _ dy: UnsafePointer<Float>, _ da: UnsafeMutablePointer<Float>, lane: Int, t: Int32
  ) {
    let first = first.baseAddress! + lane * stride
    for j in 0..<stride { da[j] = first[j] == t ? dy[j] : 0 }
  }
}
