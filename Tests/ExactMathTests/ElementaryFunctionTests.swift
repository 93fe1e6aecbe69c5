import CProcessor
import ExactMath
import Foundation
import Kernels
import Testing

@Suite struct ElementaryFunctionTests {
  /// The largest error in units of the last place of the true value, over every 97th float, where the true value is
  /// a normal Float.
  private func worstError(_ function: (Float) -> Float, _ truth: (Double) -> Double) -> Double {
    var worst = 0.0
    for bits in stride(from: UInt32(0), to: 0xFF80_0000, by: 97) {
      let x = Float(bitPattern: bits)
      guard x.isFinite else { continue }
      let expected = truth(Double(x))
      guard abs(expected) >= Double(Float.leastNormalMagnitude),
        abs(expected) <= Double(Float.greatestFiniteMagnitude)
      else { continue }
      worst = max(worst, abs(Double(function(x)) - expected) / Double(Float(expected).ulp))
    }
    return worst
  }

  @Test func exponentialIsWithinItsStatedError() {
    #expect(worstError({ exponential($0) }, { exp($0) }) <= 1.1)
  }

  @Test func hyperbolicTangentIsWithinItsStatedError() {
    #expect(worstError({ hyperbolicTangent($0) }, { tanh($0) }) <= 2.5)
  }

  @Test func sigmoidIsWithinItsStatedError() {
    #expect(worstError({ sigmoid($0) }, { 1 / (1 + exp(-$0)) }) <= 2.5)
  }

  @Test func theEndsAreRightAndNaNPassesThrough() {
    #expect(exponential(Float.infinity) == .infinity && exponential(-Float.infinity) == 0)
    #expect(exponential(Float(88.8)) == .infinity && exponential(Float(-87.4)) == 0 && exponential(Float(0)) == 1)
    #expect(hyperbolicTangent(Float.infinity) == 1 && hyperbolicTangent(-Float.infinity) == -1)
    #expect(hyperbolicTangent(Float(-0.0)).sign == .minus && hyperbolicTangent(Float(0)) == 0)
    #expect(sigmoid(Float.infinity) == 1 && sigmoid(-Float.infinity) == 0 && sigmoid(Float(0)) == 0.5)
    #expect(exponential(Float.nan).isNaN && hyperbolicTangent(Float.nan).isNaN && sigmoid(Float.nan).isNaN)
  }

  @Test func arraysHaveTheBitsOfSingleNumbers() {
    let values = (0..<1000).map { Float($0 - 500) * 0.037 }
    var (s, t, e) = (values, values, values)
    applySigmoid(&s, count: 1000)
    applyHyperbolicTangent(&t, count: 1000)
    applyExponential(&e, count: 1000)
    for (i, x) in values.enumerated() {
      #expect(s[i].bitPattern == sigmoid(x).bitPattern)
      #expect(t[i].bitPattern == hyperbolicTangent(x).bitPattern)
      #expect(e[i].bitPattern == exponential(x).bitPattern)
    }
  }

  @Test func logarithmAgreesWithTheCLibrary() {
    for i in 1..<50_000 {
      let x = Double(i) * 0.0031
      #expect(abs(logarithm(x) - log(x)) <= 1e-15 * max(abs(log(x)), abs(x - 1)))
    }
    for x in [1e-300, Double.leastNormalMagnitude, 1e300, Double.greatestFiniteMagnitude] {
      #expect(abs(logarithm(x) - log(x)) <= 1e-15 * abs(log(x)))
    }
    #expect(logarithm(0) == -.infinity && logarithm(.infinity) == .infinity)
    #expect(logarithm(-1).isNaN && logarithm(.nan).isNaN)
  }

  @Test func denormalsAreFlushedOnRequest() async {
    // A thread of its own, since the setting stays with the thread.
    let quotient = await withCheckedContinuation { (result: CheckedContinuation<Float, Never>) in
      Thread {
        processor_flush_denormals()
        // A divisor that the compiler cannot know, so that the division runs here.
        let divisor = Float(ProcessInfo.processInfo.processIdentifier + 1)
        result.resume(returning: Float.leastNormalMagnitude / divisor)
      }.start()
    }
    #expect(quotient == 0)
  }
}
