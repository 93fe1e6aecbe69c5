import ExactMath

/// Windows of random lengths (Merity, Keskar and Socher, "Regularizing and Optimizing LSTM Language Models", 2018,
/// section 5), so that every token comes to stand at the end of a window some time, where gradients reach it least:
/// T timesteps with probability 0.95, else T/2, and a normal deviation of σ from that; at least 5, at most T + 2σ.
///
/// An epoch has ⌊M / (0.975·T)⌋ windows, of the M tokens that each lane can have; where those drawn are longer than M
/// together, the last of them are cut. Lengths are a function of (seed, epoch).
struct RandomWindows: Sendable {
  /// T.
  let base: Int
  /// σ.
  let deviation: Int
  /// Windows of an epoch.
  let count: Int
  private let starts: PerEpoch<[Int]>

  /// The timesteps of the longest window that there can be.
  static func longest(base: Int, deviation: Int) -> Int { base + 2 * deviation }

  /// - Precondition: 1 ≤ `base` ≤ `laneTokens`, 0 ≤ `deviation`.
  init(base: Int, deviation: Int, laneTokens: Int, seed: UInt64) {
    let count = max(1, min(laneTokens, Int(Double(laneTokens) / (0.975 * Double(base)))))
    (self.base, self.deviation, self.count) = (base, deviation, count)
    starts = PerEpoch { epoch in
      var draws = PhiloxSequence(seed: seed, purpose: .windowLength, step: epoch)
      var starts = [0]
      for window in 0..<count {
        let left = laneTokens - starts[window] - (count - 1 - window)
        starts.append(starts[window] + min(left, RandomWindows.length(base, deviation, &draws)))
      }
      return starts
    }
  }

  private static func length(_ base: Int, _ deviation: Int, _ draws: inout PhiloxSequence) -> Int {
    let center = draws.uniform() < 0.95 ? Double(base) : Double(base) / 2
    // The sum of twelve uniform numbers, less 6, is nearly normal, and needs neither logarithm nor cosine.
    let normal = (0..<12).reduce(-6.0) { sum, _ in sum + draws.uniform() }
    let length = Int((center + Double(deviation) * normal).rounded())
    return max(min(5, base), min(longest(base: base, deviation: deviation), length))
  }

  /// Where the windows of an epoch begin, counted from the first token of their lane, and where the last one ends.
  func starts(ofEpoch epoch: Int) -> [Int] { starts(epoch) }
}
