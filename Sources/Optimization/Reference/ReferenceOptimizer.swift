import ExactMath

/// The rules as the papers write them, number by number in Double: the page to read, and the truth for `Optimizer`.
package struct ReferenceOptimizer: Sendable {
  /// The rule.
  package let rule: OptimizerRule
  /// The tensors, as ranges of the parameters.
  package let tensors: [Range<Int>]
  /// p.
  package private(set) var parameters: [Double]
  /// t, updates so far.
  package private(set) var updates = 0

  private var m: [Double]
  private var v: [Double]
  private var b: [Double]

  /// The state before the first update.
  package init(rule: OptimizerRule, parameters: [Double], tensors: [Range<Int>]) {
    self.rule = rule
    self.parameters = parameters
    self.tensors = tensors
    (m, v, b) = (parameters.map { _ in 0 }, parameters.map { _ in 0 }, parameters.map { _ in 0 })
  }

  /// One update by a gradient; the learning rate is multiplied by `factor`.
  package mutating func update(gradient: [Double], learningRateFactor factor: Double = 1) {
    updates += 1
    for tensor in tensors {
      let u = tensor.map { direction($0, gradient[$0]) }
      let scale = scale(of: u, tensor, factor)
      for (i, u) in zip(tensor, u) { parameters[i] -= scale * u }
    }
  }

  /// What of parameter `i` is multiplied by the learning rate.
  private mutating func direction(_ i: Int, _ gradient: Double) -> Double {
    switch rule {
    case .sgd(_, let momentum, let nesterov, let weightDecay):
      let g = gradient + weightDecay * parameters[i]
      // (O3) b ← μ·b + g + λ·p
      b[i] = momentum * b[i] + g
      // (O4) p ← p − η·b, or with Nesterov's step ahead p ← p − η·(g + λ·p + μ·b)
      return nesterov ? g + momentum * b[i] : b[i]
    case .adam(_, let beta1, let beta2, let epsilon, let weightDecay):
      return adam(i, gradient + weightDecay * parameters[i], beta1, beta2, epsilon)
    case .adamW(_, let beta1, let beta2, let epsilon, let weightDecay),
      .lamb(_, let beta1, let beta2, let epsilon, let weightDecay):
      // (O9) p ← p − η·(m̂ / (√v̂ + ε) + λ·p), the same as (1 − η·λ)·p − η·m̂ / (√v̂ + ε)    (O13) u = r + λ·p
      return adam(i, gradient, beta1, beta2, epsilon) + weightDecay * parameters[i]
    case .rmsProp(_, let beta2, let epsilon, let momentum, let weightDecay):
      let g = gradient + weightDecay * parameters[i]
      // (O10) v ← β₂·v + (1 − β₂)·g²
      v[i] = beta2 * v[i] + (1 - beta2) * g * g
      // (O12) b ← μ·b + g / (√v + ε)
      b[i] = momentum * b[i] + g / (v[i].squareRoot() + epsilon)
      return b[i]
    }
  }

  private mutating func adam(
    _ i: Int, _ g: Double, _ beta1: Double, _ beta2: Double, _ epsilon: Double
  ) -> Double {
    // (O7) m ← β₁·m + (1 − β₁)·g    (O8) v ← β₂·v + (1 − β₂)·g²
    m[i] = beta1 * m[i] + (1 - beta1) * g
    v[i] = beta2 * v[i] + (1 - beta2) * g * g
    // (O5) m̂ = m / (1 − β₁ᵗ)    (O6) v̂ = v / (1 − β₂ᵗ)
    let mHat = m[i] / (1 - power(beta1, updates))
    let vHat = v[i] / (1 - power(beta2, updates))
    return mHat / (vHat.squareRoot() + epsilon)
  }

  /// The learning rate, for LAMB times the trust ratio of the tensor.
  private func scale(of direction: [Double], _ tensor: Range<Int>, _ factor: Double) -> Double {
    guard case .lamb = rule else { return rule.learningRate * factor }
    func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    // (O14) ‖p‖ / ‖u‖, 1 where one of them is 0    (O15) p ← p − η·‖p‖/‖u‖·u
    let (p, u) = (norm(tensor.map { parameters[$0] }), norm(direction))
    return rule.learningRate * factor * (p > 0 && u > 0 ? p / u : 1)
  }
}
