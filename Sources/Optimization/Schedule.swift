import ExactMath

/// What the learning rate, which is stated for the global batch and so the same for any number of ranks, is multiplied
/// by: a pure function of the updates made so far and of the evaluations before them.
package struct Schedule: Equatable, Sendable {
  /// How it falls after the warm-up. n counts updates after it, γ is a factor, f the floor.
  package enum Decay: Equatable, Sendable {
    /// Not at all.
    case constant
    /// By γ after each `every` updates at once.
    case step(every: Int, factor: Double, floor: Double)
    /// By γ over each `every` updates, a little in each.
    case exponential(every: Int, factor: Double, floor: Double)
    /// Along half a cosine, down to f at update number `end` of the run, which counts from its start (Loshchilov and Hutter, "SGDR: Stochastic
    /// Gradient Descent with Warm Restarts", 2017, equation 5; a restart is a schedule that begins later).
    case cosine(end: Int, floor: Double)
    /// By γ whenever `patience` evaluations in a row have brought no new best loss.
    case plateau(patience: Int, factor: Double, floor: Double)
  }

  /// How the learning rate falls.
  package var decay: Decay
  /// Updates over which it rises from nearly 0 at first (Goyal et al., "Accurate, Large Minibatch SGD", 2017).
  package var warmUp: Int
  /// The update at which it begins, as it does where a run goes on beyond its end: updates before it had another one.
  package var begin: Int

  /// The learning rate is always the same.
  package static let constant = Schedule(.constant)

  /// - Precondition: intervals are at least 1, factors and floors in [0, 1], and the factor of an exponential is not 0.
  package init(_ decay: Decay, warmUp: Int = 0, begin: Int = 0) {
    self.decay = decay
    self.warmUp = warmUp
    self.begin = begin
  }

  /// The factor of update number `update`, counted from 0.
  package func factor(update: Int, evaluations: [Evaluation]) -> Double {
    let t = max(0, update - begin)
    // (S1) (t + 1) / w during a warm-up of w updates
    if t < warmUp { return Double(t + 1) / Double(warmUp) }
    let n = t - warmUp
    switch decay {
    case .constant: return 1
    case .step(let every, let factor, let floor):
      // (S2) γ^⌊n / every⌋, at least f
      return max(floor, power(factor, n / every))
    case .exponential(let every, let factor, let floor):
      // (S3) γ^(n / every), at least f
      return max(floor, power(root(factor, every), n))
    case .cosine(let end, let floor):
      // (S4) f + (1 − f)·(1 + cos(π·n / N)) / 2, with N updates from the warm-up to the end
      let share = Double(n) / Double(max(1, end - begin - warmUp))
      return floor + (1 - floor) * (1 + cosineOfHalfTurn(min(1, share))) / 2
    case .plateau(let patience, let factor, let floor):
      // (S5) γ^k after k plateaus, at least f
      return max(floor, power(factor, evaluations.plateaus(patience: patience)))
    }
  }

  /// Whether evaluations decide about it.
  package var dependsOnEvaluations: Bool { if case .plateau = decay { true } else { false } }
}
