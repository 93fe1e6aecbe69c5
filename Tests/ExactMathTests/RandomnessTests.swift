import ExactMath
import Testing

@Suite struct RandomnessTests {
  /// The known answers that the authors publish with Random123, "kat_vectors", philox4x32 with 10 rounds.
  @Test func philoxGivesThePublishedAnswers() {
    let ones = UInt32.max
    #expect(
      Philox.rounds(SIMD4(repeating: 0), key0: 0, key1: 0)
        == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox.rounds(SIMD4(repeating: ones), key0: ones, key1: ones)
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox.rounds(
        SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key0: 0xa409_3822, key1: 0x299f_31d0)
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func seedPurposeStepLayerAndPlaceEachNameAnotherDraw() {
    var seen: Set<SIMD4<UInt32>> = []
    var names = 0
    for seed in [UInt64(0), 1, 1 << 32] {
      for purpose in [Philox.Purpose.initialization, .dropout, .dataOrder] {
        for (step, layer) in [(0, 0), (1, 0), (0, 1), (1 << 32, 0)] {
          let stream = Philox(seed: seed, purpose: purpose, step: step, layer: layer)
          for (block, t, lane) in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1 << 32, 0, 0)] {
            seen.insert(stream.words(block: block, t: t, lane: lane))
            names += 1
          }
        }
      }
    }
    #expect(seen.count == names)
  }

  @Test func aSequenceHandsOutTheWordsOfItsStreamInOrder() {
    let stream = Philox(seed: 5, purpose: .sampling, step: 2, layer: 3)
    var sequence = PhiloxSequence(seed: 5, purpose: .sampling, step: 2, layer: 3, lane: 4)
    for block in 0..<3 {
      let words = stream.words(block: block, lane: 4)
      for index in 0..<4 { #expect(sequence.next() == words[index]) }
    }
  }

  @Test func boundedDrawsStayInBoundsAndReachEveryValueAboutEquallyOften() {
    var sequence = PhiloxSequence(seed: 1, purpose: .sampling)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[sequence.below(7)] += 1 }
    // One standard deviation is 93; six of them leave a chance of one in 10⁸.
    #expect(counts.allSatisfy { abs($0 - 10_000) < 560 })
    for _ in 0..<1000 {
      let uniform = sequence.uniform()
      #expect(uniform >= 0 && uniform < 1)
    }
  }

  @Test(arguments: [0, 1, 2, 17])
  func aPermutationHoldsEveryIndexOnceAndPermutationsAreEquallyLikely(count: Int) {
    var sequence = PhiloxSequence(seed: 1, purpose: .dataOrder)
    #expect(sequence.permutation(count).sorted() == Array(0..<count))
    var frequencies: [[Int]: Int] = [:]
    for _ in 0..<6000 { frequencies[sequence.permutation(3), default: 0] += 1 }
    #expect(frequencies.count == 6 && frequencies.values.allSatisfy { abs($0 - 1000) < 180 })
  }
}
