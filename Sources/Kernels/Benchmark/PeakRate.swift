/// What this core can do at most, in flop a second: the best of three short runs of fused multiply-adds on twelve
/// registers of the AVX2 kind, with no memory traffic.
public func measuredPeak() -> Double {
  let clock = ContinuousClock()
  let rounds = 1 << 18
  var best = 0.0
  for _ in 0..<3 {
    var check: Float = 0
    let seconds = clock.measure { check = runMultiplyAdds(rounds: rounds, factor: 1e-3) } / .seconds(1)
    // The check makes the operations count: a compiler must not leave them out.
    if check.isFinite { best = max(best, Double(rounds * tileRows * vectorWidth * 2) / seconds) }
  }
  return best
}

@inline(never)
private func runMultiplyAdds(rounds: Int, factor: Float) -> Float {
  var sums = Tile<6>(repeating: Vector(repeating: 1))
  let (x, y) = (Vector(repeating: factor), Vector(repeating: factor * 0.5))
  for _ in 0..<rounds {
    for i in 0..<6 { sums[i] = sums[i].addingProduct(x, y) }
  }
  var check: Float = 0
  for i in 0..<6 { check += sums[i].fixedOrderSum }
  return check
}
