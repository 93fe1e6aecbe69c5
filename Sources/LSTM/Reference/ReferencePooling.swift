/// `Pooling` of one sequence, forward and backward, exactly as its equations stand: in Double the truth for gradients, in
/// Float the bits that `PooledStates` makes.
package enum ReferencePooling {
  /// y [H] of the states a [n][H], all finite; n ≥ 1.
  package static func forward<Scalar: ReferenceScalar>(_ pooling: Pooling, _ a: [[Scalar]]) -> [Scalar] {
    a[0].indices.map { j in
      switch pooling {
      // (M1) y = a⟨n − 1⟩
      case .last: a[a.count - 1][j]
      // (M2) y = 1/n · Σ_t a⟨t⟩
      case .mean: a.reduce(0) { $0 + $1[j] } / Scalar(a.count)
      // (M3) yⱼ = max_t aⱼ⟨t⟩
      case .max: a[firstOfLargest(a, j)][j]
      }
    }
  }

  /// da [n][H] of dy [H]; a as in `forward`.
  package static func backward<Scalar: ReferenceScalar>(
    _ pooling: Pooling, _ a: [[Scalar]], dy: [Scalar]
  ) -> [[Scalar]] {
    a.indices.map { t in
      dy.indices.map { j in
        switch pooling {
        // (M4) da⟨n − 1⟩ = dy
        case .last: t == a.count - 1 ? dy[j] : 0
        // (M5) da⟨t⟩ = dy / n
        case .mean: dy[j] / Scalar(a.count)
        // (M6) daⱼ⟨t⟩ = dyⱼ at the first t whose aⱼ⟨t⟩ is the largest
        case .max: t == firstOfLargest(a, j) ? dy[j] : 0
        }
      }
    }
  }

  private static func firstOfLargest<Scalar: ReferenceScalar>(_ a: [[Scalar]], _ j: Int) -> Int {
    let largest = a.map { $0[j] }.max()!
    return a.firstIndex { $0[j] == largest }!
  }
}
