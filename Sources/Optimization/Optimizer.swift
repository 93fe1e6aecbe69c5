import Kernels

/// The rule of an update.
public enum OptimizerRule: Equatable, Sendable {
  /// p −= η·g.
  case sgd(learningRate: Double)
  /// Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015), algorithm 1.
  case adam(learningRate: Double, beta1: Double, beta2: Double, epsilon: Double)

  /// Names of the moments that the rule keeps, each as large as the parameters.
  public var moments: [String] {
    switch self {
    case .sgd: []
    case .adam: ["exp_avg", "exp_avg_sq"]
    }
  }
}

/// Updates the ranges of flat parameters that this rank owns from a flat gradient, with the clipping factor multiplied
/// in on the way. Each number is updated on its own, so the bits do not depend on who owns what.
public final class Optimizer {
  /// The rule.
  public let rule: OptimizerRule
  /// The parameters that this optimizer updates, as ranges of the flat memory, ascending.
  public let ranges: [Range<Int>]
  private let owned: Int
  private let storage: FloatBuffer

  /// An optimizer before its first step: all moments zero. Moments are kept for the owned parameters only.
  public init(rule: OptimizerRule, ranges: [Range<Int>]) {
    self.rule = rule
    self.ranges = ranges
    owned = ranges.reduce(0) { $0 + $1.count }
    storage = FloatBuffer(count: rule.moments.count * owned)
  }

  /// One moment, an index of `rule.moments`: its numbers for the owned parameters, range after range.
  public func moment(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: storage.pointer + index * owned, count: owned)
  }

  /// Makes update number `step` (from 0): p ← rule(p, g · gradientScale) for the owned parameters.
  /// - Parameters:
  ///   - learningRateFactor: what the rule's learning rate is multiplied by.
  ///   - changed: where within `ranges` the gradient may be other than +0.0, nil for everywhere: a rule without
  ///     moments leaves every other parameter as it is, so it need not be looked at.
  public func update(
    _ parameters: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, gradientScale: Float, step: Int,
    learningRateFactor: Double = 1, changed: [Range<Int>]? = nil
  ) {
    var first = 0
    for range in rule.moments.isEmpty ? changed ?? ranges : ranges {
      let (p, g) = (parameters + range.lowerBound, gradient + range.lowerBound)
      switch rule {
      case .sgd(let learningRate):
        let rate = Float(learningRate * learningRateFactor) * gradientScale
        for i in 0..<range.count { p[i] -= rate * g[i] }
      case .adam(let learningRate, let beta1, let beta2, let epsilon):
        // m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ): p −= η·m̂ / (√v̂ + ε), with both divisors taken out of the loop.
        let corrected1 = 1 - power(beta1, step + 1)
        let corrected2 = (1 - power(beta2, step + 1)).squareRoot()
        adam(
          p, g, gradientScale, m: storage.pointer + first, v: storage.pointer + (owned + first), count: range.count,
          beta1: Float(beta1), beta2: Float(beta2),
          rate: Float(learningRate * learningRateFactor * corrected2 / corrected1),
          epsilon: Float(epsilon * corrected2))
      }
      first += range.count
    }
  }

  private func adam(
    _ parameters: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>, _ scale: Float,
    m: UnsafeMutablePointer<Float>, v: UnsafeMutablePointer<Float>, count: Int, beta1: Float, beta2: Float,
    rate: Float, epsilon: Float
  ) {
    let (new1, new2) = (1 - beta1, 1 - beta2)
    for i in 0..<count {
      let g = gradient[i] * scale
      // m = β₁·m + (1 − β₁)·g,  v = β₂·v + (1 − β₂)·g²
      m[i] = beta1 * m[i] + new1 * g
      v[i] = beta2 * v[i] + new2 * g * g
      // p −= η·m̂ / (√v̂ + ε)
      parameters[i] -= rate * m[i] / (v[i].squareRoot() + epsilon)
    }
  }
}

/// baseⁿ by repeated squaring: the C library's `pow` has other bits in other versions.
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
