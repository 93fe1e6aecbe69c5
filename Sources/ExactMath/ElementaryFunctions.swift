// e^x, tanh and σ in explicit fused multiply-adds: the same bits on every machine and with every C library, whose own
// functions change from version to version. They are written for one float and without branches, so that a loop over
// an array of them becomes vector code; the bits are the same either way.
//
// All three rest on one core. With n = round(x / ln 2) and r = x − n·ln 2, |r| ≤ ½·ln 2,
//
//   e^x = 2ⁿ·(1 + q(r)),   q(r) = e^r − 1 = r + r²·(1/2! + r/3! + … + r⁵/7!)
//
// whose first omitted term is below r⁸/8! ≤ 5.2e-9. ln 2 is split so that n·ln2High is exact (Cody and Waite 1980).
//
// Errors, as the tests measure them: e^x ≤ 1.1 ULP, tanh and σ ≤ 2.5 ULP. Results below the smallest normal number
// are zero; NaN passes through.

@inlinable var log2E: Float { 0x1.715476p+0 }
@inlinable var ln2High: Float { 0x1.62e4p-1 }
@inlinable var ln2Low: Float { 0x1.7f7d1cp-20 }

/// 1.5·2²³: a float this large has no fraction bits, so adding it rounds to an integer, ties to even, and leaves that
/// integer in the low bits.
@inlinable var roundingShift: Float { 0x1.8p+23 }

/// a·b + c, rounded once.
@inlinable @inline(__always)
func fusedMultiplyAdd(_ a: Float, _ b: Float, _ c: Float) -> Float { c.addingProduct(a, b) }

/// n = round(x / ln 2), and q = e^r − 1 for r = x − n·ln 2.
/// - Precondition: |x| < 2²¹, or the result is not used.
@inlinable @inline(__always)
func reducedExponential(_ x: Float) -> (n: Int32, q: Float) {
  let shifted = fusedMultiplyAdd(x, log2E, roundingShift)
  let n = shifted - roundingShift
  let integer = Int32(bitPattern: shifted.bitPattern) &- Int32(bitPattern: roundingShift.bitPattern)
  let r = fusedMultiplyAdd(n, -ln2Low, fusedMultiplyAdd(n, -ln2High, x))
  var p = fusedMultiplyAdd(1 / 5040, r, 1 / 720)
  p = fusedMultiplyAdd(p, r, 1 / 120)
  p = fusedMultiplyAdd(p, r, 1 / 24)
  p = fusedMultiplyAdd(p, r, 1 / 6)
  p = fusedMultiplyAdd(p, r, 1 / 2)
  return (integer, fusedMultiplyAdd(p * r, r, r))
}

/// 2ⁿ for −126 ≤ n ≤ 127, made from the exponent bits.
@inlinable @inline(__always)
func powerOfTwo(_ n: Int32) -> Float { Float(bitPattern: UInt32(bitPattern: (n &+ 127) &<< 23)) }

/// Results below the smallest normal number become zero, whether or not the processor flushes them.
@inlinable @inline(__always)
func flushed(_ x: Float) -> Float { x < Float.leastNormalMagnitude ? 0 : x }

/// e^x; +∞ above 88.7228, zero below −87.3365.
@inlinable @inline(__always)
public func exponential(_ x: Float) -> Float {
  // Clamping keeps n in −150 … 128; NaN compares false and stays.
  let low = x < -104 ? -104 : x
  let (n, q) = reducedExponential(low > 89 ? 89 : low)
  // 2ⁿ in two factors, since 2¹²⁸ and 2⁻¹⁵⁰ are not normal numbers; only the last product overflows.
  let half = n &>> 1
  return flushed(fusedMultiplyAdd(q, powerOfTwo(half), powerOfTwo(half)) * powerOfTwo(n &- half))
}

/// tanh(x) = (e^2|x| − 1) / (e^2|x| + 1) with the sign of x.
///
/// With m = e^2|x| − 1 = 2ⁿ·q + (2ⁿ − 1), where for n = 0 the second term is zero and for n ≥ 1 it outweighs the
/// first, this is m / (m + 2): no cancellation near zero, so no second formula there.
@inlinable @inline(__always)
public func hyperbolicTangent(_ x: Float) -> Float {
  let magnitude = Float(bitPattern: x.bitPattern & 0x7FFF_FFFF)
  // tanh(10) rounds to 1.
  let y = magnitude > 10 ? 10 : magnitude
  let (n, q) = reducedExponential(y + y)
  let scale = powerOfTwo(n)
  let m = fusedMultiplyAdd(scale, q, scale - 1)
  let t = m / (m + 2)
  return Float(bitPattern: t.bitPattern | (x.bitPattern & 0x8000_0000))
}

/// σ(x) = 1 / (1 + e^−x).
@inlinable @inline(__always)
public func sigmoid(_ x: Float) -> Float { flushed(1 / (1 + exponential(-x))) }

/// ln(x) in Double, for losses: with x = 2ᵉ·m and ½·√2 ≤ m < √2, s = (m − 1)/(m + 1),
/// ln x = e·ln 2 + 2·(s + s³/3 + s⁵/5 + …), |s| ≤ 0.172, to s²³. Error below 1e-15 relative to the larger of |ln x|
/// and |x − 1|. −∞ for 0, NaN below; +∞ and NaN pass through.
public func logarithm(_ x: Double) -> Double {
  if x.isNaN || x < 0 { return .nan }
  if x == 0 { return -.infinity }
  if x == .infinity { return x }
  var exponent = Double(x.exponent)
  var m = x.significand
  if m > 1.4142135623730951 {
    m *= 0.5
    exponent += 1
  }
  let s = (m - 1) / (m + 1)
  let square = s * s
  var series = 1.0 / 23
  for odd in stride(from: 21.0, through: 1, by: -2) {
    series = (1 / odd).addingProduct(series, square)
  }
  return (2 * s * series).addingProduct(exponent, 0.6931471805599453)
}
