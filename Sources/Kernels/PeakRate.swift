/// Runs `rounds` rounds of fused multiply-adds on twelve registers of the AVX2 kind, with no memory traffic: what the
/// core can do at most, to hold the kernels against. Returns the operations done (two for each element) and a number
/// that depends on them all.
public func runMultiplyAdds(rounds: Int, factor: Float) -> (flops: Double, check: Float) {
  var sums = Tile<6>(repeating: Vector(repeating: 1))
  let (x, y) = (Vector(repeating: factor), Vector(repeating: factor * 0.5))
  for _ in 0..<rounds {
    for i in 0..<6 { sums[i] = sums[i].addingProduct(x, y) }
  }
  var check: Float = 0
  for i in 0..<6 { check += sums[i].fixedOrderSum }
  return (Double(rounds) * Double(6 * vectorWidth * 2), check)
}
