/// The rules as the papers write them, number by number in Double: the truth for `Optimizer`. `direction` in the file of
/// a rule is the page to read.
package struct ReferenceOptimizer: Sendable {
  /// The rule.
  package let rule: OptimizerRule
  /// The tensors, as ranges of the parameters.
  package let tensors: [Range<Int>]
  /// t, updates so far.
  package private(set) var updates = 0

  private var state: [ReferenceParameter]

  /// The state before the first update.
  package init(rule: OptimizerRule, parameters: [Double], tensors: [Range<Int>]) {
    self.rule = rule
    self.tensors = tensors
    state = parameters.map { ReferenceParameter(p: $0) }
  }

  /// p.
  package var parameters: [Double] { state.map(\.p) }

  /// One update by a gradient; the learning rate is multiplied by `factor`.
  package mutating func update(gradient: [Double], learningRateFactor factor: Double = 1) {
    updates += 1
    for tensor in tensors {
      let p = tensor.map { state[$0].p }
      let u = tensor.map { rule.rule.direction(gradient[$0], &state[$0], t: updates) }
      let rate = rule.learningRate * factor * rule.rule.ratio(p, u)
      for (i, u) in zip(tensor, u) { state[i].p -= rate * u }
    }
  }
}

/// A parameter and what rules keep for it.
struct ReferenceParameter: Sendable {
  var p: Double
  var m = 0.0
  var v = 0.0
  var b = 0.0
}
