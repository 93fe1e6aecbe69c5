/// How gradients are kept from being too large.
package enum Clipping: Equatable, Sendable {
  /// Not at all.
  case none
  /// A gradient whose global norm is larger is scaled down to this norm (Pascanu, Mikolov and Bengio, "On the difficulty
  /// of training recurrent neural networks", 2013, algorithm 1).
  case norm(Double)
  /// Each number is kept within ± this limit (Mikolov, "Statistical Language Models Based on Neural Networks", 2012).
  case element(Double)

  /// What is limited, as the configuration calls it.
  package enum Kind: String, CaseIterable, Sendable {
    case norm, element
  }

  /// - Parameter limit: 0 for none.
  package init(_ kind: Kind, limit: Double) {
    guard limit > 0 else {
      self = .none
      return
    }
    self =
      switch kind {
      case .norm: .norm(limit)
      case .element: .element(limit)
      }
  }

  /// What the gradient is multiplied by: (C1) limit / ‖g‖ where the norm is larger than the limit, else 1.
  package func factor(norm: Double) -> Float {
    if case .norm(let limit) = self, norm > limit { Float(limit / norm) } else { 1 }
  }

  /// (C2) g ← max(−limit, min(limit, g)) in some ranges of a gradient, where elements are clipped.
  package func limitElements(of gradient: UnsafeMutablePointer<Float>, in ranges: [Range<Int>]) {
    guard case .element(let most) = self else { return }
    let limit = Float(most)
    for range in ranges {
      let g = gradient + range.lowerBound
      for i in 0..<range.count { g[i] = max(-limit, min(limit, g[i])) }
    }
  }
}
