import ExactMath
import Foundation
import Kernels
import Optimization
import TestSupport
import Testing

@Suite struct OptimizerTests {
  let gradients: [[Float]] = (0..<5).map { step in (0..<37).map { Float(($0 * 7 + step * 3) % 11) - 5 } }

  @Test func sgdFollowsItsRule() throws {
    var p = [Float](repeating: 1, count: 37)
    try Optimizer(rule: .sgd(learningRate: 0.5), ranges: [0..<37]).update(
      &p, gradient: gradients[0], gradientScale: 0.25, step: 0)
    for i in 0..<37 { #expect(p[i] == 1 - 0.125 * gradients[0][i]) }
  }

  @Test func onlyOwnedParametersAreUpdated() throws {
    var p = [Float](repeating: 1, count: 37)
    let optimizer = Optimizer(
      rule: .adam(learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8), ranges: [3..<5, 30..<31])
    try optimizer.update(&p, gradient: [Float](repeating: 2, count: 37), gradientScale: 1, step: 0)
    for i in 0..<37 { #expect((p[i] != 1) == [3, 4, 30].contains(i)) }
    #expect(optimizer.moment(0).count == 3 && optimizer.moment(1)[2] > 0)
  }

  /// Only the plainest rule leaves a parameter without a gradient where it is.
  @Test func whatHasNotChangedIsLeftOutWhereItStays() throws {
    let changed = [2..<3]
    for (rule, moves) in [
      (OptimizerRule.sgd(learningRate: 0.1), false), (.sgd(learningRate: 0.1, weightDecay: 0.5), true),
      (.adamW(learningRate: 0.1, beta1: 0.9, beta2: 0.9, epsilon: 1e-8, weightDecay: 0.5), true),
    ] {
      var p: [Float] = [1, 1, 1, 1]
      try Optimizer(rule: rule, ranges: [0..<4]).update(
        &p, gradient: [0, 0, 1, 0], gradientScale: 1, step: 0, changed: changed)
      #expect(p[2] < 1 && (p[0] < 1) == moves, "\(rule)")
    }
  }

  @Test func clippingLimitsTheNormAndOnlyThat() {
    #expect(Clipping.norm(5).factor(norm: 10) == 0.5)
    #expect(Clipping.norm(5).factor(norm: 5) == 1 && Clipping.norm(5).factor(norm: 0) == 1)
    #expect(Clipping.none.factor(norm: 1e9) == 1 && Clipping.element(1).factor(norm: 1e9) == 1)
    var g: [Float] = [3, -3, 0.5, -0.5, 9]
    Clipping.norm(1).limitElements(of: &g, in: [0..<5])
    #expect(g == [3, -3, 0.5, -0.5, 9])
    Clipping.element(2).limitElements(of: &g, in: [0..<2, 3..<4])
    #expect(g == [2, -2, 0.5, -0.5, 9])
  }

  @Test func squaredSumsOfBlocksAreTheNorm() {
    let x = (0..<10_007).map { Float($0 % 19) * 0.01 - 0.05 }
    var sums = [Double](repeating: .nan, count: 3)
    blockSquaredSums(x, count: x.count, sums: &sums)
    let truth = x.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(sums.reduce(0, +) - truth) < 1e-9)
    var alone = [Double](repeating: .nan, count: 1)
    blockSquaredSums(Array(x[4096..<8192]), count: 4096, sums: &alone)
    #expect(alone[0] == sums[1])
  }

  // MARK: The average

  /// Of PyTorch's `ASGD`, whose average begins with the parameters after the second step here.
  @Test func theAverageIsThatOfPyTorch() throws {
    var p = Known.parameters
    let optimizer = Optimizer(rule: .sgd(learningRate: 0.1), ranges: [0..<3, 3..<7], averages: true)
    for (step, gradient) in Known.gradients.enumerated() {
      if step == 2 { optimizer.beginAveraging(p) }
      try optimizer.update(&p, gradient: gradient, gradientScale: 1, step: step)
    }
    let average: [Float] = [0.47, -1.195, 1.875, -0.0075, -0.73, 1.475, 0]
    let last = p
    optimizer.exchangeAverage(&p)
    for (ours, theirs) in zip(p, average) { #expect(abs(ours - theirs) < 1e-6) }
    optimizer.exchangeAverage(&p)
    #expect(p == last && optimizer.averaged == 2)
  }

  @Test func theAverageOfManyParametersIsTheirMean() throws {
    var p: [Float] = [0, 1]
    let optimizer = Optimizer(rule: .sgd(learningRate: 1), ranges: [0..<2], averages: true)
    optimizer.beginAveraging(p)
    for step in 0..<100 { try optimizer.update(&p, gradient: [-1, 0], gradientScale: 1, step: step) }
    optimizer.exchangeAverage(&p)
    #expect(abs(p[0] - 50) < 1e-3 && p[1] == 1)
  }

  // MARK: Numbers of the schedules

  @Test func powerAgreesWithTheCLibrary() {
    for n in [0, 1, 2, 3, 17, 1000, 100_000] {
      for base in [0.9, 0.999, 0.0, 1.0] {
        #expect(abs(power(base, n) - pow(base, Double(n))) <= 1e-12 * pow(base, Double(n)))
      }
    }
  }

  @Test func rootAgreesWithTheCLibrary() {
    for n in [1, 2, 3, 10, 1000, 1_000_000, 1_000_000_000] {
      for x in [1, 0.999, 0.5, 0.1, 1e-6] {
        let truth = pow(x, 1 / Double(n))
        #expect(abs(root(x, n) - truth) <= 1e-15 + 1e-13 * truth / Double(n), "\(x), \(n)")
        #expect(abs(power(root(x, n), n) - x) <= 1e-15 * x * Double(n + 1), "\(x), \(n)")
      }
    }
  }

  @Test func cosineAgreesWithTheCLibrary() {
    for i in 0...1000 {
      let x = Double(i) / 1000
      #expect(abs(cosineOfHalfTurn(x) - cos(.pi * x)) < 4e-16, "\(x)")
    }
    #expect(cosineOfHalfTurn(0) == 1 && cosineOfHalfTurn(1) == -1)
  }
}
