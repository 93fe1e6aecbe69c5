import DataParallel
import Kernels
import LSTM
import Testing

/// Tokens drawn from a model with random weights.
struct SamplerTests {
  private static let shape = ModelShape.languageModel(vocabulary: 9, embedding: 4, hidden: 5, layers: 2)

  /// `count` tokens from a new sampler, which reads each that it draws.
  private func draw(
    _ count: Int, seed: UInt64, temperature: Double = 1, excluding excluded: Int32? = nil, weights: Bool = true,
    limits: SamplingLimits = .none
  ) -> [Int32] {
    let parameters = FloatBuffer(count: Self.shape.parameterCount)
    if weights { Self.shape.initialize(parameters.pointer, seed: 3, method: .xavier, forgetBias: 1) }
    return withExtendedLifetime(parameters) {
      let sampler = Sampler(shape: Self.shape, parameters: parameters.pointer, seed: seed)
      sampler.read(0)
      return (0..<count).map { _ in
        let next = sampler.draw(temperature: temperature, excluding: excluded, limits: limits)
        sampler.read(next)
        return next
      }
    }
  }

  @Test func drawsFollowFromTheSeed() {
    #expect(draw(50, seed: 1) == draw(50, seed: 1))
    #expect(draw(50, seed: 1) != draw(50, seed: 2))
  }

  @Test func temperatureZeroTakesTheMostLikelyTokenWhateverTheSeed() {
    #expect(draw(50, seed: 1, temperature: 0) == draw(50, seed: 2, temperature: 0))
    #expect(draw(50, seed: 1, temperature: 0) == draw(50, seed: 1, temperature: 1e-6))
  }

  @Test func everyTokenButTheExcludedOneIsDrawnAboutAsOftenAsItIsLikely() {
    // All weights 0: every token is equally likely.
    let counts = draw(4000, seed: 1, excluding: 4, weights: false).reduce(into: [Int](repeating: 0, count: 9)) {
      $0[Int($1)] += 1
    }
    #expect(counts[4] == 0)
    // 500 each, with a standard deviation of 21.
    for token in 0..<9 where token != 4 { #expect((400...600).contains(counts[token]), "\(counts)") }
  }

  @Test func limitsKeepTheMostLikelyTokens() {
    func kept(_ limits: SamplingLimits, _ weights: [Double] = [1, 4, 2, 2, 1]) -> [Double] {
      var weights = weights
      limits.apply(to: &weights)
      return weights
    }
    #expect(kept(.none) == [1, 4, 2, 2, 1])
    #expect(kept(SamplingLimits(count: 1)) == [0, 4, 0, 0, 0])
    #expect(kept(SamplingLimits(count: 2)) == [0, 4, 2, 0, 0])
    #expect(kept(SamplingLimits(count: 9)) == [1, 4, 2, 2, 1])
    #expect(kept(SamplingLimits(share: 0.4)) == [0, 4, 0, 0, 0])
    #expect(kept(SamplingLimits(share: 0.41)) == [0, 4, 2, 0, 0])
    #expect(kept(SamplingLimits(share: 1e-9)) == [0, 4, 0, 0, 0])
    // Of the three most likely, 8 together, half is the first.
    #expect(kept(SamplingLimits(count: 3, share: 0.5)) == [0, 4, 0, 0, 0])
    #expect(kept(SamplingLimits(count: 3, share: 0.51)) == [0, 4, 2, 0, 0])
  }

  @Test func limitedDrawsAreAmongTheMostLikelyAndUnlimitedOnesAsBefore() {
    #expect(draw(50, seed: 1, limits: SamplingLimits(count: 1)) == draw(50, seed: 2, temperature: 0))
    #expect(draw(50, seed: 1, limits: SamplingLimits(share: 1e-9)) == draw(50, seed: 2, temperature: 0))
    #expect(draw(50, seed: 1, limits: SamplingLimits(count: 9)) == draw(50, seed: 1))
    #expect(Set(draw(400, seed: 1, weights: false, limits: SamplingLimits(count: 3))) == [0, 1, 2])
  }

  @Test func resetForgetsWhatHasBeenRead() {
    let parameters = FloatBuffer(count: Self.shape.parameterCount)
    Self.shape.initialize(parameters.pointer, seed: 3, method: .xavier, forgetBias: 1)
    let sampler = Sampler(shape: Self.shape, parameters: parameters.pointer, seed: 1)
    func mostLikely() -> [Int32] {
      (0..<20).map { _ in
        let next = sampler.draw(temperature: 0, excluding: nil)
        sampler.read(next)
        return next
      }
    }
    sampler.read(1)
    let first = mostLikely()
    sampler.reset()
    sampler.read(1)
    #expect(mostLikely() == first)
    withExtendedLifetime(parameters) {}
  }
}
