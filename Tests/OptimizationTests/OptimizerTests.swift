import Foundation
import Kernels
import Optimization
import Testing

@Suite struct OptimizerTests {
  let gradients: [[Float]] = (0..<5).map { step in (0..<37).map { Float(($0 * 7 + step * 3) % 11) - 5 } }

  @Test func sgdFollowsItsRule() {
    var p = [Float](repeating: 1, count: 37)
    Optimizer(rule: .sgd(learningRate: 0.5), ranges: [0..<37]).update(
      &p, gradient: gradients[0], gradientScale: 0.25, step: 0)
    for i in 0..<37 { #expect(p[i] == 1 - 0.125 * gradients[0][i]) }
  }

  /// Against algorithm 1 of the paper, written out in Double.
  @Test func adamFollowsThePaper() {
    let optimizer = Optimizer(
      rule: .adam(learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8), ranges: [0..<20, 20..<37])
    var p = [Float](repeating: 1, count: 37)
    var (truth, m, v) = (
      [Double](repeating: 1, count: 37), [Double](repeating: 0, count: 37), [Double](repeating: 0, count: 37)
    )
    for step in 0..<5 {
      optimizer.update(&p, gradient: gradients[step], gradientScale: 1, step: step)
      for i in 0..<37 {
        let g = Double(gradients[step][i])
        m[i] = 0.9 * m[i] + 0.1 * g
        v[i] = 0.999 * v[i] + 0.001 * g * g
        let mHat = m[i] / (1 - pow(0.9, Double(step + 1)))
        let vHat = v[i] / (1 - pow(0.999, Double(step + 1)))
        truth[i] -= 0.01 * mHat / (vHat.squareRoot() + 1e-8)
      }
    }
    for i in 0..<37 { #expect(abs(Double(p[i]) - truth[i]) < 1e-6) }
  }

  @Test func onlyOwnedParametersAreUpdated() {
    var p = [Float](repeating: 1, count: 37)
    let optimizer = Optimizer(
      rule: .adam(learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8), ranges: [3..<5, 30..<31])
    optimizer.update(&p, gradient: [Float](repeating: 2, count: 37), gradientScale: 1, step: 0)
    for i in 0..<37 { #expect((p[i] != 1) == [3, 4, 30].contains(i)) }
    #expect(optimizer.moment(0).count == 3 && optimizer.moment(1)[2] > 0)
  }

  @Test func powerAgreesWithTheCLibrary() {
    for n in [0, 1, 2, 3, 17, 1000, 100_000] {
      for base in [0.9, 0.999, 0.0, 1.0] {
        #expect(abs(power(base, n) - pow(base, Double(n))) <= 1e-12 * pow(base, Double(n)))
      }
    }
  }

  @Test func clippingLimitsTheNormAndOnlyThat() {
    #expect(clipFactor(norm: 10, limit: 5) == 0.5)
    #expect(clipFactor(norm: 5, limit: 5) == 1 && clipFactor(norm: 0, limit: 5) == 1)
    #expect(clipFactor(norm: 1e9, limit: 0) == 1)
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
}
