import Optimization
import TestSupport
import Testing

@Suite struct RuleTests {
  @Test(arguments: Known.updates)
  func updatesAreThoseOfPyTorch(_ known: Known.Update) throws {
    var truth = ReferenceOptimizer(rule: known.rule, parameters: Known.parameters.map { Double($0) }, tensors: [0..<7])
    let optimizer = Optimizer(rule: known.rule, ranges: [0..<2, 2..<7])
    var p = Known.parameters
    for (step, gradient) in Known.gradients.enumerated() {
      // Decimals as Float are not quite the numbers that PyTorch had.
      truth.update(gradient: gradient.map { (Double($0) * 100).rounded() / 100 })
      try optimizer.update(&p, gradient: gradient.map { $0 * 4 }, gradientScale: 0.25, step: step)
    }
    for i in 0..<7 {
      #expect(abs(truth.parameters[i] - known.after[i]) < 1e-11)
      #expect(abs(Double(p[i]) - known.after[i]) < 1e-6)
    }
  }

  /// One update of two tensors, by hand. With β₁ = β₂ = 0 r is the sign of g, so u = (1 + λ·3, −1 + λ·4) has with λ = 1
  /// the norm 5, as p has: the trust ratio is 1. The second tensor begins as 0, where the ratio is 1 by definition.
  @Test func lambIsWhatThePaperSays() throws {
    let rule = OptimizerRule.lamb(learningRate: 0.5, beta1: 0, beta2: 0, epsilon: 1e-30, weightDecay: 1)
    var p: [Float] = [3, 4, 0, 0]
    let optimizer = Optimizer(rule: rule, ranges: [0..<4], norms: NormBlocks(parts: [0..<4], tensors: [0..<2, 2..<4]))
    try optimizer.update(&p, gradient: [7, -2, 5, -5], gradientScale: 1, step: 0)
    #expect(p == [1, 2.5, -0.5, 0.5])
    var halved: [Float] = [3, 4, 0, 0]
    try Optimizer(rule: rule, ranges: [0..<4], norms: NormBlocks(parts: [0..<4], tensors: [0..<4]))
      .update(&halved, gradient: [7, -2, 5, -5], gradientScale: 1, step: 0, learningRateFactor: 0.5)
    // Of one tensor: ‖p‖ = 5, ‖u‖ = √(16 + 9 + 1 + 1).
    let rate = 0.25 * 5 / Float(27).squareRoot()
    for (ours, truth) in zip(halved, [3 - 4 * rate, 4 - 3 * rate, -rate, rate]) { #expect(abs(ours - truth) < 1e-6) }
  }

  private static let rules: [OptimizerRule] =
    Known.updates.map(\.rule) + [
      .lamb(learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.1),
      .lamb(learningRate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 1e-8, weightDecay: 0),
    ]
    // Every rule that is listed, with numbers that most rules can have.
    + OptimizerRule.descriptions.map {
      OptimizerRule(
        name: $0.name,
        [.learningRate: 0.01, .beta1: 0.8, .beta2: 0.9, .epsilon: 1e-4, .momentum: 0.5, .weightDecay: 0.1])
    }

  /// Parts of several blocks, tensors that begin within blocks, and one of a single number.
  private static let parts = [0..<5000, 5000..<14_001, 14_001..<14_050]
  private static let tensors = [
    0..<4097, 4097..<5000, 5000..<13_999, 13_999..<14_000, 14_000..<14_001, 14_001..<14_050,
  ]
  private static let count = 14_050

  private func gradient(_ step: Int) -> [Float] {
    (0..<Self.count).map { Float(($0 * 31 + step * 17) % 101 - 50) * 0.01 }
  }

  private let start = (0..<RuleTests.count).map { Float(($0 * 13) % 89 - 44) * 0.005 }

  @Test(arguments: rules)
  func theFastRuleIsTheReferences(_ rule: OptimizerRule) throws {
    var truth = ReferenceOptimizer(rule: rule, parameters: start.map { Double($0) }, tensors: Self.tensors)
    let optimizer = Optimizer(
      rule: rule, ranges: Self.parts, norms: NormBlocks(parts: Self.parts, tensors: Self.tensors))
    var p = start
    for step in 0..<6 {
      let factor = 1 / Double(step + 1)
      truth.update(gradient: gradient(step).map { Double($0) }, learningRateFactor: factor)
      try optimizer.update(&p, gradient: gradient(step), gradientScale: 1, step: step, learningRateFactor: factor)
    }
    let farthest = zip(p, truth.parameters).map { abs(Double($0) - $1) }.max()!
    let moved = zip(start, truth.parameters).map { abs(Double($0) - $1) }.max()!
    #expect(farthest < 1e-5 * moved, "\(farthest) of \(moved)")
  }

  /// The same bits by one owner, by three who tell each other norms, and by one of empty slices among them.
  @Test(arguments: rules)
  func whoOwnsWhatChangesNoBit(_ rule: OptimizerRule) throws {
    let norms = NormBlocks(parts: Self.parts, tensors: Self.tensors)
    let owners = [
      [0..<4096, 5000..<9096, 14_001..<14_001], [4096..<5000, 9096..<9096, 14_001..<14_050], [9096..<14_001],
    ].map { Optimizer(rule: rule, ranges: $0, norms: norms) }
    let alone = Optimizer(rule: rule, ranges: Self.parts, norms: norms)
    var (p, shared) = (start, start)
    for step in 0..<4 {
      let g = gradient(step)
      try alone.update(&p, gradient: g, gradientScale: 0.5, step: step)
      shared = try update(shared, by: owners, g, step: step)
    }
    #expect(p == shared)
  }

  /// What three ranks do at once, one after the other: first all norms, then with their largest values the updates.
  private func update(_ parameters: [Float], by owners: [Optimizer], _ g: [Float], step: Int) throws -> [Float] {
    struct NormsAreKnown: Error {}
    var all: [Double] = []
    for owner in owners {
      var p = parameters
      let saved = owner.moments
      try? owner.update(&p, gradient: g, gradientScale: 0.5, step: step) { sums in
        if all.isEmpty { all = [Double](repeating: 0, count: sums.count) }
        for i in all.indices { all[i] = max(all[i], sums[i]) }
        throw NormsAreKnown()
      }
      owner.moments = saved
    }
    var result = parameters
    for owner in owners {
      try owner.update(&result, gradient: g, gradientScale: 0.5, step: step) { sums in
        for i in all.indices { sums[i] = all[i] }
      }
    }
    return result
  }

  @Test func everyRuleAndScheduleHasANameAndKeysOfItsOwn() {
    for rules in [OptimizerRule.descriptions, Schedule.descriptions] {
      #expect(Set(rules.map(\.name)).count == rules.count)
      #expect(Set(rules.keys.map(\.name)).count == rules.keys.count)
      for rule in rules {
        #expect(
          rule.keys.map(\.name) == rules.keys.map(\.name).filter { name in rule.keys.contains { $0.name == name } })
        for (key, _) in rule.defaults { #expect(rule.has(key), "\(rule.name), \(key.name)") }
      }
    }
  }

  @Test func blocksEndWhereTensorsAndSlicesDo() {
    let blocks = NormBlocks(parts: [0..<5000, 5000..<5010], tensors: [0..<10, 10..<5000, 5000..<5010]).blocks
    #expect(blocks.map(\.range) == [0..<10, 10..<4096, 4096..<5000, 5000..<5010])
    #expect(blocks.map(\.tensor) == [0, 1, 1, 2])
  }
}

extension Optimizer {
  /// All numbers that the rule keeps.
  fileprivate var moments: [[Float]] {
    get { rule.moments.indices.map { Array(moment($0)) } }
    set { for (index, values) in newValue.enumerated() { _ = moment(index).update(fromContentsOf: values) } }
  }
}
