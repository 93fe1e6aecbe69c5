/// The rule of an update, from the gradient g of the global batch. η: the learning rate, λ: the weight decay, which
/// reaches every parameter; m, v, b begin as 0; t counts updates from 1. Each rule is a file in `Rules/`.
package struct OptimizerRule: Sendable {
  let rule: any UpdateRule

  /// Every rule, in the order in which they are listed.
  private static let all: [any UpdateRule.Type] = [Adam.self, AdamW.self, SGD.self, RMSProp.self, LAMB.self]

  /// What there is to know of every rule.
  package static let descriptions = all.map { $0.description }

  init(_ rule: any UpdateRule) { self.rule = rule }

  /// - Precondition: `name` is that of one of `descriptions`.
  package init(name: String, _ values: RuleValues) {
    rule = Self.all.first { $0.description.name == name }!.init(values)
  }

  /// Names of the moments that the rule keeps, as PyTorch calls them, each as large as the parameters; at most two.
  package var moments: [String] { rule.moments }

  /// η, before any schedule.
  package var learningRate: Double { rule.learningRate }
}

/// What is common to all rules. A rule is an `ElementwiseRule` or a `TensorwiseRule`.
protocol UpdateRule: Sendable {
  static var description: RuleDescription { get }

  init(_ values: RuleValues)

  var moments: [String] { get }
  var learningRate: Double { get }
  /// Whether a parameter stays as it is where its gradient is +0.0.
  var needsGradientToMove: Bool { get }

  /// The rule as the paper writes it: what of one parameter is multiplied by the learning rate. It renews the moments.
  func direction(_ gradient: Double, _ x: inout ReferenceParameter, t: Int) -> Double
  /// What the learning rate of a tensor p with the direction u is multiplied by, as the paper writes it.
  func ratio(_ p: [Double], _ u: [Double]) -> Double
}

extension UpdateRule {
  var needsGradientToMove: Bool { false }

  func ratio(_ p: [Double], _ u: [Double]) -> Double { 1 }
}

/// A rule that updates each parameter on its own.
protocol ElementwiseRule: UpdateRule {
  /// Makes update number `step` (from 0) of some parameters, with the learning rate multiplied by `factor`.
  func update(_ x: ParameterBlock, step: Int, factor: Double)
}

/// A rule whose update of a tensor p is η·ratio(‖p‖, ‖u‖)·u with a direction u.
protocol TensorwiseRule: UpdateRule {
  /// What is the same for all blocks of an update.
  associatedtype Step

  /// m and v of the update.
  func renewMoments(_ x: ParameterBlock)
  /// Of update number `update` (from 0).
  func step(update: Int) -> Step
  /// u of parameters whose moments have been renewed.
  func direction(_ x: ParameterBlock, _ step: Step, into direction: UnsafeMutablePointer<Float>)
  /// From Σp² and Σu² of a tensor.
  func ratio(squaredNorm p: Double, direction u: Double) -> Double
}

/// Some parameters in memory.
struct ParameterBlock {
  let parameters: UnsafeMutablePointer<Float>
  let gradient: UnsafePointer<Float>
  /// What the gradient is multiplied by.
  let scale: Float
  /// As far as the rule has moments.
  let moment1: UnsafeMutablePointer<Float>
  let moment2: UnsafeMutablePointer<Float>
  let count: Int
}
