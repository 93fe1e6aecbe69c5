import Kernels

/// What this core can do at most, in flop a second: the best of three short runs of fused multiply-adds on registers
/// alone, as many chains as are under way at once in the tiles of the instruction set.
package func measuredPeak(on set: InstructionSet = .current) -> Double {
  let clock = ContinuousClock()
  var best = 0.0
  for _ in 0..<3 {
    var run = (check: Float(0), flops: 0)
    let seconds = clock.measure { run = runMultiplyAdds(rounds: 1 << 18, factor: 1e-3, on: set) } / .seconds(1)
    // The check makes the operations count: a compiler must not leave them out.
    if run.check.isFinite { best = max(best, Double(run.flops) / seconds) }
  }
  return best
}
