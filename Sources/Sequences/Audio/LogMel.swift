import ExactMath
import Problems

/// Log-mel features: the logarithm of a sound's energy in bands that are equally wide on the mel scale, frame by frame.
///
/// 1. Frame t is the `windowSamples` samples from t · `hopSamples` on, times a Hann window w[n] = ½ − ½·cos(2πn/N) with
///    N = `windowSamples`. There are as few frames as hold every sample, at least one; the last is filled up with
///    zeros.
/// 2. Power spectrum |X[k]|² of the frame, filled up with zeros to the next power of two of points.
/// 3. Band m weighs the frequencies by a triangle in mel(f) = 1127·ln(1 + f/700) that rises from the centre of band
///    m − 1 and falls to that of band m + 1; the centres divide mel(`lowest`) … mel(`highest`) evenly.
/// 4. ln(max(energy, 1e-10)), for samples of −1 to 1.
package struct LogMel: Sendable {
  /// Samples a second.
  package let rate: Int
  /// Samples of a frame.
  package let windowSamples: Int
  /// Samples from the beginning of a frame to that of the next.
  package let hopSamples: Int
  /// D, the number of bands.
  package let bands: Int

  private let window: [Double]
  private let fourier: FourierTransform
  /// The weights of each band, over the frequencies from `first` on.
  private let filters: [(first: Int, weights: [Double])]

  private static let floor = 1e-10
  private static let mostBands = 1024
  /// Samples; more than a second at any usual rate.
  private static let longestWindow = 65_536.0

  /// Features for sound of `rate` samples a second.
  /// - Parameters:
  ///   - windowSeconds: Length of a frame.
  ///   - hopSeconds: From frame to frame, no more than a frame.
  ///   - bands: D; an error with exit code 78 where there are more of them than frequencies.
  ///   - lowest: Lower end of the lowest band, Hz.
  ///   - highest: Upper end of the highest band, Hz; nil for half the rate.
  package init(
    rate: Int, windowSeconds: Double = 0.025, hopSeconds: Double = 0.010, bands: Int = 40, lowest: Double = 20,
    highest: Double? = nil
  ) throws(Problem) {
    let top = highest ?? Double(rate) / 2
    guard rate >= 1, lowest >= 0, lowest < top, top <= Double(rate) / 2, (1...LogMel.mostBands).contains(bands) else {
      throw .configuration(
        "log-mel features — expected 1 to \(LogMel.mostBands) bands between two frequencies of at most half the rate, "
          + "got \(bands) bands from \(lowest) to \(top) Hz at \(rate) samples a second")
    }
    let frame = (windowSeconds * Double(rate)).rounded()
    let hop = (hopSeconds * Double(rate)).rounded()
    guard (2...LogMel.longestWindow).contains(frame), (1...frame).contains(hop) else {
      throw .configuration(
        "frames of log-mel features — expected 2 to \(Int(LogMel.longestWindow)) samples, and no more than that from one "
          + "frame to the next, got \(frame) and \(hop)")
    }
    (self.rate, self.bands) = (rate, bands)
    (windowSamples, hopSamples) = (Int(frame), Int(hop))
    let samples = windowSamples
    window = (0..<samples).map { 0.5 - 0.5 * pointOnCircle($0, of: samples).cosine }
    var size = 1
    while size < samples { size *= 2 }
    fourier = FourierTransform(size: size)
    filters = LogMel.filters(bands: bands, rate: rate, size: size, lowest: mel(lowest), highest: mel(top))
    if let empty = filters.firstIndex(where: \.weights.isEmpty) {
      throw .configuration(
        "log-mel features have more bands than frequencies — expected a frequency in each, got none in band \(empty + 1) "
          + "of \(bands) (\(size / 2 + 1) frequencies at \(rate) Hz)",
        hint: "ask for fewer bands or longer frames")
    }
  }

  private static func filters(
    bands: Int, rate: Int, size: Int, lowest: Double, highest: Double
  ) -> [(first: Int, weights: [Double])] {
    let frequencies = (0...size / 2).map { mel(Double($0) * Double(rate) / Double(size)) }
    let spacing = (highest - lowest) / Double(bands + 1)
    return (1...bands).map { band in
      let center = lowest + spacing * Double(band)
      let weights = frequencies.map { max(0, 1 - ($0 - center).magnitude / spacing) }
      let first = weights.firstIndex { $0 > 0 } ?? weights.endIndex
      return (first, Array(weights[first...].prefix { $0 > 0 }))
    }
  }

  /// The frames of a sound of `samples` samples: 1 + ⌈(samples − window) / hop⌉, at least 1.
  package func frames(ofSamples samples: Int) -> Int {
    1 + (max(0, samples - windowSamples) + hopSamples - 1) / hopSamples
  }

  /// The features of a sound, [frames, D] row-major.
  package func features(of samples: ArraySlice<Float>) -> [Float] {
    let frames = frames(ofSamples: samples.count)
    var features: [Float] = []
    features.reserveCapacity(frames * bands)
    var real = [Double](repeating: 0, count: fourier.size)
    var imaginary = real
    for t in 0..<frames {
      let frame = samples.dropFirst(t * hopSamples).prefix(windowSamples)
      for place in real.indices { (real[place], imaginary[place]) = (0, 0) }
      for (place, sample) in frame.enumerated() { real[place] = Double(sample) * window[place] }
      fourier.transform(real: &real, imaginary: &imaginary)
      for (first, weights) in filters {
        var energy = 0.0
        for (place, weight) in weights.enumerated() {
          let (re, im) = (real[first + place], imaginary[first + place])
          energy += weight * (re * re + im * im)
        }
        features.append(Float(logarithm(max(energy, LogMel.floor))))
      }
    }
    return features
  }
}

/// The mel scale, in which equal steps sound equally far apart.
private func mel(_ hertz: Double) -> Double { 1127 * logarithm(1 + hertz / 700) }
