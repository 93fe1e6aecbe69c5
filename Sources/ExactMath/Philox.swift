/// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as
/// 1, 2, 3" (SC 2011): ten rounds map a 128-bit counter and a 64-bit key to 128 random bits, with no state between
/// calls. A draw is therefore named by *what it is for*, never by who drew it or in which order: that is what makes
/// dropout and shuffling the same for every number of ranks.
public struct Philox: Sendable {
  /// What a draw is for. Raw values are part of the checkpoint format: they must never change.
  public enum Purpose: UInt32, Sendable {
    case initialization = 0
    case dropout = 1
    case dataOrder = 2
    case dataGeneration = 3
    case sampling = 4
    case stateReset = 5
    case weightDropout = 6
    case embeddingDropout = 7
    case windowLength = 8
    case augmentation = 16
  }

  @usableFromInline let key0: UInt32
  @usableFromInline let key1: UInt32

  /// The stream for one purpose in one step of one layer. The stream's own key is drawn from the generator that
  /// `seed` keys, at the counter (purpose, layer, step).
  public init(seed: UInt64, purpose: Purpose, step: Int = 0, layer: Int = 0) {
    let derived = Philox.rounds(
      SIMD4(
        purpose.rawValue, UInt32(truncatingIfNeeded: layer), UInt32(truncatingIfNeeded: step),
        UInt32(truncatingIfNeeded: step &>> 32)),
      key0: UInt32(truncatingIfNeeded: seed), key1: UInt32(truncatingIfNeeded: seed &>> 32))
    key0 = derived[0]
    key1 = derived[1]
  }

  /// Four independent 32-bit words for the place (block, t, lane) of the stream. For one word per unit, take word
  /// `unit % 4` of block `unit / 4`.
  @inlinable
  public func words(block: Int, t: Int = 0, lane: Int = 0) -> SIMD4<UInt32> {
    Philox.rounds(
      SIMD4(
        UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: t), UInt32(truncatingIfNeeded: lane),
        UInt32(truncatingIfNeeded: block &>> 32)),
      key0: key0, key1: key1)
  }

  /// A uniform number in [0, 1) from a random word: its upper 24 bits, exact in Float.
  @inlinable
  public static func uniform(_ word: UInt32) -> Float { Float(word &>> 8) * 0x1p-24 }

  /// A uniform number in [0, 1) from two random words: 53 bits, exact in Double.
  @inlinable
  public static func uniform(_ high: UInt32, _ low: UInt32) -> Double {
    Double((UInt64(high) &<< 32 | UInt64(low)) &>> 11) * 0x1p-53
  }

  /// The ten rounds. Multipliers and key increments are those of the paper (table 2 and section 4.2).
  @inlinable
  public static func rounds(_ counter: SIMD4<UInt32>, key0: UInt32, key1: UInt32) -> SIMD4<UInt32> {
    var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
    var (k0, k1) = (key0, key1)
    for _ in 0..<10 {
      let p0 = UInt64(c0) &* 0xD251_1F53
      let p1 = UInt64(c2) &* 0xCD9E_8D57
      (c0, c1, c2, c3) = (
        UInt32(truncatingIfNeeded: p1 &>> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 &>> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: p0)
      )
      k0 = k0 &+ 0x9E37_79B9
      k1 = k1 &+ 0xBB67_AE85
    }
    return SIMD4(c0, c1, c2, c3)
  }
}
