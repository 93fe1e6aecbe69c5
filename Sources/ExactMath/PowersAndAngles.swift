// Numbers that decide about training must not come from the C library: its pow, cos and exp have other bits in other
// versions.

/// baseⁿ by repeated squaring.
/// - Precondition: n ≥ 0.
public func power(_ base: Double, _ n: Int) -> Double {
  precondition(n >= 0, "power(_:_:) takes no negative exponent")
  var (result, square, rest) = (1.0, base, n)
  while rest > 0 {
    if rest & 1 == 1 { result *= square }
    square *= square
    rest >>= 1
  }
  return result
}

/// The n-th root of a number in (0, 1], by Newton's method: y ← y − (yⁿ − x) / (n·yⁿ⁻¹), which from y = 1 falls
/// until it is there.
/// - Precondition: n ≥ 1.
public func root(_ x: Double, _ n: Int) -> Double {
  precondition(x > 0 && x <= 1 && n >= 1, "root(_:_:) is for numbers in (0, 1]")
  var y = 1.0
  while true {
    let below = power(y, n - 1)
    let next = y - (below * y - x) / (Double(n) * below)
    guard next < y else { return y }
    y = next
  }
}

/// cos(π·x) for x in [0, 1]: the Taylor series of the cosine up to the angle's 24th power, which at π/2 is exact to
/// 1e-17, and cos(π·x) = −cos(π·(1 − x)) beyond that.
public func cosineOfHalfTurn(_ x: Double) -> Double {
  precondition(x >= 0 && x <= 1, "cosineOfHalfTurn(_:) is for numbers in [0, 1]")
  if x > 0.5 { return -cosineOfHalfTurn(1 - x) }
  let square = (Double.pi * x) * (Double.pi * x)
  // 1 − s/(1·2)·(1 − s/(3·4)·(1 − s/(5·6)·(…)))
  var sum = 1.0
  for n in stride(from: 24.0, to: 0, by: -2) { sum = 1 - square / (n * (n - 1)) * sum }
  return sum
}
