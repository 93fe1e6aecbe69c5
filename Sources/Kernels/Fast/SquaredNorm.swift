import CProcessor

/// Numbers whose squares go into one sum of the global norm. Slices of a gradient that different ranks own begin and
/// end at multiples of it, so the sums are the same whoever computes them.
package let normBlock = 4096

/// sums[i] = Σ x² in Double over the i-th block of `normBlock` numbers (the last one may be shorter): sixteen
/// running sums, number j to sum j mod 16, then halves upon halves.
package func blockSquaredSums(_ x: UnsafePointer<Float>, count: Int, sums: UnsafeMutablePointer<Double>) {
  for block in 0..<(count + normBlock - 1) / normBlock {
    let first = block * normBlock
    sums[block] = squaredSum(x + first, count: min(normBlock, count - first))
  }
}

private func squaredSum(_ x: UnsafePointer<Float>, count: Int) -> Double {
  var sums = InlineArray<4, SIMD4<Double>>(repeating: .zero)
  let whole = count & ~(vectorWidth - 1)
  for i in stride(from: 0, to: whole, by: vectorWidth) {
    for j in 0..<4 {
      let values = processor_doubles(x + (i &+ 4 &* j))
      // The square of a float is exact in Double, so nothing is rounded twice.
      sums[j].addProduct(values, values)
    }
  }
  for i in 0..<count - whole { sums[i / 4][i % 4] += Double(x[whole + i]) * Double(x[whole + i]) }
  let four = (sums[0] + sums[2]) + (sums[1] + sums[3])
  let two = four.lowHalf + four.highHalf
  return two[0] + two[1]
}
