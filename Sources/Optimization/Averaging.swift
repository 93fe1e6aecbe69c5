/// From when on the average of the parameters is kept, which then is the model. With gradient descent it is averaged
/// SGD (Polyak and Juditsky 1992), and NT-ASGD with the non-monotonic trigger (Merity, Keskar and Socher 2018).
package enum Averaging: Equatable, Sendable {
  /// There is no average.
  case never
  /// The parameters after this step are the first of it.
  case from(step: Int)
  /// The parameters at the first evaluation whose loss is above the least of all but the last `patience` before it.
  case nonMonotonic(patience: Int)

  /// What the configuration calls them.
  package enum Kind: String, CaseIterable, Sendable {
    case never
    case fromStep = "from-step"
    case nonMonotonic = "non-monotonic"
  }

  /// - Parameters:
  ///   - step: of `fromStep`.
  ///   - patience: of `nonMonotonic`.
  package init(_ kind: Kind, step: Int, patience: Int) {
    self =
      switch kind {
      case .never: .never
      case .fromStep: .from(step: step)
      case .nonMonotonic: .nonMonotonic(patience: patience)
      }
  }

  /// Whether the average begins with the parameters after `step` steps, or began before.
  package func hasBegun(step: Int, _ evaluations: [Evaluation]) -> Bool {
    switch self {
    case .never: false
    case .from(let first): step >= first
    case .nonMonotonic(let patience): evaluations.nonMonotonicStep(patience: patience) != nil
    }
  }
}
