/// The words of one Philox stream taken one after the other, for work that one place does alone and in a fixed order:
/// a permutation, a sampled string.
public struct PhiloxSequence: Sendable {
  private let stream: Philox
  private let lane: Int
  private var block = 0
  private var used = 4
  private var words = SIMD4<UInt32>()

  /// The words (0, 1, 2, …) of `lane` of the stream named by the other arguments.
  public init(seed: UInt64, purpose: Philox.Purpose, step: Int = 0, layer: Int = 0, lane: Int = 0) {
    stream = Philox(seed: seed, purpose: purpose, step: step, layer: layer)
    self.lane = lane
  }

  /// The next 32 random bits.
  public mutating func next() -> UInt32 {
    if used == 4 {
      words = stream.words(block: block, lane: lane)
      block += 1
      used = 0
    }
    defer { used += 1 }
    return words[used]
  }

  /// The next uniform number in [0, 1), with 53 random bits.
  public mutating func uniform() -> Double {
    let high = next()
    return Philox.uniform(high, next())
  }

  /// A uniform integer in 0 ..< bound, without bias: draws below 2⁶⁴ mod bound are thrown away.
  /// - Precondition: `bound` > 0.
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "below(_:) needs a positive bound")
    let n = UInt64(bound)
    let unfair = (0 &- n) % n
    while true {
      let high = next()
      let word = UInt64(high) << 32 | UInt64(next())
      if word >= unfair { return Int(word % n) }
    }
  }

  /// A uniform permutation of 0 ..< count (Fisher and Yates, in Durstenfeld's order). The standard library's
  /// `shuffled(using:)` does not promise its algorithm; this one is part of the data order, so it must not change.
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, below(last + 1))
    }
    return order
  }
}
