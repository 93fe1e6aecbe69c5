/// Numbers whose squares go into one sum of the global norm. Slices of a gradient that different ranks own begin and
/// end at multiples of it, so the sums are the same whoever computes them.
public let normBlock = 4096

/// sums[i] = Σ x² in Double over the i-th block of `normBlock` numbers (the last one may be shorter): sixteen
/// running sums, number j to sum j mod 16, then halves upon halves.
public func blockSquaredSums(_ x: UnsafePointer<Float>, count: Int, sums: UnsafeMutablePointer<Double>) {
  for block in 0..<(count + normBlock - 1) / normBlock {
    let first = block * normBlock
    sums[block] = squaredSum(x + first, count: min(normBlock, count - first))
  }
}

private func squaredSum(_ x: UnsafePointer<Float>, count: Int) -> Double {
  var sums = SIMD16<Double>.zero
  let whole = count & ~(vectorWidth - 1)
  for i in stride(from: 0, to: whole, by: vectorWidth) {
    let values = SIMD16<Double>(Vector(x + i))
    sums += values * values
  }
  for i in whole..<count { sums[i - whole] += Double(x[i]) * Double(x[i]) }
  let eight = sums.lowHalf + sums.highHalf
  let four = eight.lowHalf + eight.highHalf
  let two = four.lowHalf + four.highHalf
  return two[0] + two[1]
}
