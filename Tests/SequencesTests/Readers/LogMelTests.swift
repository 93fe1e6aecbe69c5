import ExactMath
import Foundation
import Problems
import Sequences
import Testing

@Suite struct LogMelTests {
  private func noise(_ count: Int, seed: UInt64 = 1) -> [Double] {
    var draws = PhiloxSequence(seed: seed, purpose: .dataGeneration, step: count)
    return (0..<count).map { _ in 2 * draws.uniform() - 1 }
  }

  @Test(arguments: [1, 2, 4, 8, 32, 256])
  func theFastTransformIsTheDirectSum(size: Int) {
    let (x, y) = (noise(size), noise(size, seed: 2))
    var (real, imaginary) = (x, y)
    FourierTransform(size: size).transform(real: &real, imaginary: &imaginary)
    for k in 0..<size {
      var (re, im) = (0.0, 0.0)
      for n in 0..<size {
        let angle = -2 * Double.pi * Double(k * n % size) / Double(size)
        re += x[n] * cos(angle) - y[n] * sin(angle)
        im += x[n] * sin(angle) + y[n] * cos(angle)
      }
      #expect(abs(real[k] - re) < 1e-13 * Double(size) && abs(imaginary[k] - im) < 1e-13 * Double(size))
    }
  }

  @Test func featuresAreThoseOfTheDefinitionComputedLiterally() throws {
    let (rate, window, hop, size, bands) = (8000, 200, 80, 256, 7)
    let mel = try LogMel(rate: rate, bands: bands, lowest: 100, highest: 3500)
    #expect(mel.windowSamples == window && mel.hopSamples == hop)
    let samples = noise(501).map(Float.init)
    let frames = 5  // 501 = 200 + 3 · 80 + 61
    let features = mel.features(of: samples[...])
    #expect(features.count == frames * bands)
    func toMel(_ hertz: Double) -> Double { 1127 * log(1 + hertz / 700) }
    let spacing = (toMel(3500) - toMel(100)) / Double(bands + 1)
    for t in 0..<frames {
      var power: [Double] = []
      for k in 0...size / 2 {
        var (re, im) = (0.0, 0.0)
        for n in 0..<window where t * hop + n < samples.count {
          let value = Double(samples[t * hop + n]) * (0.5 - 0.5 * cos(2 * Double.pi * Double(n) / Double(window)))
          re += value * cos(2 * Double.pi * Double(k * n) / Double(size))
          im += value * sin(2 * Double.pi * Double(k * n) / Double(size))
        }
        power.append(re * re + im * im)
      }
      for band in 0..<bands {
        let center = toMel(100) + spacing * Double(band + 1)
        let energy = power.indices.reduce(0.0) {
          let distance = abs(toMel(Double($1) * Double(rate) / Double(size)) - center)
          return $0 + power[$1] * max(0, 1 - distance / spacing)
        }
        #expect(abs(Double(features[t * bands + band]) - log(energy)) < 1e-5)
      }
    }
  }

  @Test func aToneIsLoudestInItsBandAndTwiceAsLoudIsLn4More() throws {
    let mel = try LogMel(rate: 16000)
    func features(_ loudness: Float) -> [Float] {
      mel.features(of: (0..<400).map { loudness * Float(sin(2 * Double.pi * 1000 * Double($0) / 16000)) }[...])
    }
    let quiet = features(0.25)
    let loudest = quiet.firstIndex(of: quiet.max()!)!
    // mel(1000) = 1000, on 40 bands between mel(20) = 32 and mel(8000) = 2840: (1000 − 32) / 68.5 = 14.1.
    #expect(quiet.count == 40 && loudest == 13)
    #expect(abs(features(0.5)[loudest] - quiet[loudest] - Float(log(4.0))) < 1e-4)
  }

  @Test(
    arguments: [(1, 1), (200, 1), (201, 2), (280, 2), (281, 3)])
  func thereAreAsFewFramesAsHoldEverySample(samples: Int, frames: Int) throws {
    let mel = try LogMel(rate: 8000)
    let silence = mel.features(of: [Float](repeating: 0, count: samples)[...])
    #expect(mel.frames(ofSamples: samples) == frames && silence.count == frames * 40)
    #expect(silence.allSatisfy { abs($0 - Float(log(1e-10))) < 1e-4 })
  }

  @Test func parametersThatCannotWorkAreRefused() {
    for make in [
      { try LogMel(rate: 0) }, { try LogMel(rate: 8000, bands: 0) }, { try LogMel(rate: 8000, bands: 500) },
      { try LogMel(rate: 8000, lowest: 4000) }, { try LogMel(rate: 8000, highest: 5000) },
      { try LogMel(rate: 8000, lowest: .nan) }, { try LogMel(rate: 8000, windowSeconds: 0) },
      { try LogMel(rate: 8000, hopSeconds: 0.05) }, { try LogMel(rate: 8000, hopSeconds: 0) },
      { try LogMel(rate: 8000, windowSeconds: .infinity) }, { try LogMel(rate: 8000, hopSeconds: .nan) },
      { try LogMel(rate: 8000, windowSeconds: -.infinity) }, { try LogMel(rate: .max) },
    ] as [() throws -> LogMel] {
      let error = #expect(throws: Problem.self) { _ = try make() }
      #expect(error?.exitCode == 78)
    }
  }
}
