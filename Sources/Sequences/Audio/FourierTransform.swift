/// The discrete Fourier transform of a power of two of points: X[k] = Σ_n x[n]·e^(−2πi·kn/N), in Double, by the
/// radix-2 algorithm of Cooley and Tukey (1965).
package struct FourierTransform: Sendable {
  /// N, the number of points.
  package let size: Int
  /// cos and sin of −2πk/N for k in 0 ..< N/2.
  private let cosines: [Double]
  private let sines: [Double]

  /// - Precondition: `size` is a power of two.
  package init(size: Int) {
    precondition(size >= 1 && size & (size - 1) == 0, "the transform takes a power of two of points")
    self.size = size
    let circle = (0..<size / 2).map { pointOnCircle($0, of: size) }
    cosines = circle.map(\.cosine)
    sines = circle.map { -$0.sine }
  }

  /// Transforms N points in place.
  package func transform(real: inout [Double], imaginary: inout [Double]) {
    precondition(real.count == size && imaginary.count == size, "the transform takes \(size) points")
    reverseBits(&real, &imaginary)
    var half = 1
    while half < size {
      for start in stride(from: 0, to: size, by: 2 * half) {
        for k in 0..<half {
          // The butterfly: (a, b) ← (a + w·b, a − w·b), w = e^(−2πi·k / 2·half).
          let (c, s) = (cosines[k * (size / (2 * half))], sines[k * (size / (2 * half))])
          let (a, b) = (start + k, start + k + half)
          let (re, im) = (c * real[b] - s * imaginary[b], c * imaginary[b] + s * real[b])
          (real[b], imaginary[b]) = (real[a] - re, imaginary[a] - im)
          (real[a], imaginary[a]) = (real[a] + re, imaginary[a] + im)
        }
      }
      half *= 2
    }
  }

  /// Point n goes to the place whose binary digits are those of n backwards.
  private func reverseBits(_ real: inout [Double], _ imaginary: inout [Double]) {
    var reversed = 0
    for place in 0..<size {
      if place < reversed {
        real.swapAt(place, reversed)
        imaginary.swapAt(place, reversed)
      }
      // The next number, counted up from the highest digit.
      var digit = size / 2
      while digit > 0 && reversed & digit != 0 {
        reversed ^= digit
        digit /= 2
      }
      reversed |= digit
    }
  }
}

/// cos and sin of 2π·k/n. Own series, as the results of the C library differ between versions; with the angle brought
/// into −π/4 … π/4 by whole quarters, the first term left out is below 1e-16.
/// - Precondition: 0 ≤ k < n.
func pointOnCircle(_ k: Int, of n: Int) -> (cosine: Double, sine: Double) {
  let quarter = (4 * k + n / 2) / n
  let x = Double(4 * k - quarter * n) / Double(n) * 1.5707963267948966
  let square = x * x
  var (cosine, sine) = (1.0, 1.0)
  for term in stride(from: 18.0, through: 2, by: -2) {
    cosine = 1 - square / (term * (term - 1)) * cosine
    sine = 1 - square / (term * (term + 1)) * sine
  }
  sine *= x
  return switch quarter % 4 {
  case 0: (cosine, sine)
  case 1: (-sine, cosine)
  case 2: (-cosine, -sine)
  default: (sine, -cosine)
  }
}
