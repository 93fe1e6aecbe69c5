import DataParallel
import Kernels
import LSTM
import Testing

/// Tokens drawn from a model with random weights.
struct SamplerTests {
  private static let shape = ModelShape.languageModel(vocabulary: 9, embedding: 4, hidden: 5, layers: 2)

  /// `count` tokens from a new sampler, which reads each that it draws.
  private func draw(
    _ count: Int, seed: UInt64, temperature: Double = 1, excluding excluded: Int32? = nil, weights: Bool = true
  ) -> [Int32] {
    let parameters = FloatBuffer(count: Self.shape.parameterCount)
    if weights { Self.shape.initialize(parameters.pointer, seed: 3, method: .xavier, forgetBias: 1) }
    return withExtendedLifetime(parameters) {
      let sampler = Sampler(shape: Self.shape, parameters: parameters.pointer, seed: seed)
      sampler.read(0)
      return (0..<count).map { _ in
        let next = sampler.draw(temperature: temperature, excluding: excluded)
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
