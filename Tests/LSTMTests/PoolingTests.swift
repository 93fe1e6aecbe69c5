import LSTM
import Testing

/// What a head reads of all timesteps of a sequence, against the reference and in segments.
@Suite struct PoolingTests {
  /// Seven timesteps of lanes that end at the first, in the middle, at the end, and of one without a sequence; 17 units
  /// are padded to 32.
  private static let (timesteps, units, stride) = (7, 17, 32)
  private static let lengths: [Int32] = [7, 1, 0, 4, 6]

  /// [T, B, Hp] of few different numbers, so that a maximum often comes twice; NaN behind the ends.
  private static let states: [Float] = {
    let drawn: [Float] = randomNumbers(timesteps * lengths.count * stride, seed: 8)
    return drawn.enumerated().map { place, number in
      let (row, column) = place.quotientAndRemainder(dividingBy: stride)
      let (t, lane) = row.quotientAndRemainder(dividingBy: lengths.count)
      return t >= lengths[lane] ? .nan : column < units ? (number * 3).rounded() / 3 : 0
    }
  }()
  private static let dy: [Float] = randomNumbers(lengths.count * stride, seed: 9)

  private static func segments(_ each: Int) -> [Range<Int>] {
    Swift.stride(from: 0, to: timesteps, by: each).map { $0..<min($0 + each, timesteps) }
  }

  /// y of all lanes, and da.
  private func pooled(
    _ pooling: Pooling, segments: [Range<Int>], states: [Float] = states
  ) -> (y: [Float], da: [Float]) {
    let (B, size) = (Self.lengths.count, Self.lengths.count * Self.stride)
    // More lanes than are used, and rows of an earlier pass.
    let memory = PooledStates(pooling, timesteps: Self.timesteps, lanes: B + 2, units: Self.units)
    memory.rows.update(repeating: .nan, count: (B + 2) * Self.stride)
    memory.use(lanes: B)
    Self.lengths.withUnsafeBufferPointer { lengths in
      for segment in segments {
        Array(states[segment.lowerBound * size..<segment.upperBound * size]).withUnsafeBufferPointer {
          memory.take($0.baseAddress!, of: segment, lengths: lengths)
        }
      }
    }
    let y = Array(UnsafeBufferPointer(start: memory.rows, count: size))
    memory.rows.update(from: Self.dy, count: size)
    var da = [Float](repeating: .nan, count: Self.timesteps * size)
    for segment in segments.reversed() {
      da.withUnsafeMutableBufferPointer { memory.put($0.baseAddress! + segment.lowerBound * size, of: segment) }
    }
    return (y, da)
  }

  @Test(arguments: Pooling.allCases) func bitsAreThoseOfTheReference(pooling: Pooling) {
    let (y, da) = pooled(pooling, segments: [0..<Self.timesteps])
    for (lane, length) in Self.lengths.enumerated() {
      func row(_ values: [Float], _ t: Int) -> [Float] {
        let first = (t * Self.lengths.count + lane) * Self.stride
        return Array(values[first..<first + Self.units])
      }
      let a = (0..<Int(length)).map { row(Self.states, $0) }
      let zeros = [Float](repeating: 0, count: Self.units)
      let truth = a.isEmpty ? zeros : ReferencePooling.forward(pooling, a)
      #expect(row(y, 0).map(\.bitPattern) == truth.map(\.bitPattern), "lane \(lane)")
      let gradients = a.isEmpty ? [] : ReferencePooling.backward(pooling, a, dy: row(Self.dy, 0))
      for t in 0..<Self.timesteps {
        #expect(row(da, t) == (t < length ? gradients[t] : zeros), "lane \(lane), timestep \(t)")
      }
    }
  }

  @Test(arguments: Pooling.allCases, [1, 2, 3, 5]) func segmentsHaveTheBitsOfOnePiece(pooling: Pooling, each: Int) {
    let whole = pooled(pooling, segments: [0..<Self.timesteps])
    let cut = pooled(pooling, segments: Self.segments(each))
    #expect(cut.y.map(\.bitPattern) == whole.y.map(\.bitPattern))
    #expect(cut.da.map(\.bitPattern) == whole.da.map(\.bitPattern))
  }

  /// 1 at timesteps 2 and 5 of lane 0: the gradient goes to 2 alone.
  @Test func theFirstOfEqualMaximaTakesTheGradient() {
    var states = Self.states
    let size = Self.lengths.count * Self.stride
    for t in 0..<Self.timesteps { states[t * size] = t == 2 || t == 5 ? 1 : -1 }
    for each in [7, 3, 1] {
      let (y, da) = pooled(
        .max, segments: Self.segments(each), states: states)
      #expect(y[0] == 1)
      #expect((0..<Self.timesteps).map { da[$0 * size] } == [0, 0, Self.dy[0], 0, 0, 0, 0])
    }
  }

  @Test(arguments: [Pooling.mean, .max]) func whatIsNotANumberIsNotPassedOver(pooling: Pooling) {
    for t in 0..<Self.timesteps {
      var states = Self.states
      states[t * Self.lengths.count * Self.stride + 3] = .nan
      let (y, _) = pooled(pooling, segments: [0..<3, 3..<6, 6..<7], states: states)
      #expect(y[3].isNaN && !y[2].isNaN && !y[4].isNaN)
    }
  }
}
