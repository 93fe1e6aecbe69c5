import Kernels
import Tiles

/// Bytes a second that this core reads, again and again, from a buffer of `bytes` bytes: the best of three runs, each
/// of 64 MB or one pass.
package func measuredReadRate(bytes: Int) -> Double {
  let buffer = FloatBuffer(count: padded(max(1, bytes / MemoryLayout<Float>.stride)))
  let passBytes = Double(buffer.count * MemoryLayout<Float>.stride)
  let passes = max(1, Int(Double(64 << 20) / passBytes))
  let clock = ContinuousClock()
  var best = 0.0
  for _ in 0..<3 {
    var check: Float = 0
    let seconds = clock.measure { check = readAll(buffer.pointer, count: buffer.count, passes: passes) } / .seconds(1)
    // The check makes the reads count: a compiler must not leave them out.
    if check == 0 { best = max(best, passBytes * Double(passes) / seconds) }
  }
  return best
}

@inline(never)
private func readAll(_ values: UnsafePointer<Float>, count: Int, passes: Int) -> Float {
  var sums = InlineArray<4, Vector>(repeating: .zero)
  let whole = count & ~(4 * vectorWidth - 1)
  for _ in 0..<passes {
    for i in stride(from: 0, to: whole, by: 4 * vectorWidth) {
      for j in 0..<4 { sums[j] += Vector(values + (i &+ j &* vectorWidth)) }
    }
    for i in stride(from: whole, to: count, by: vectorWidth) { sums[0] += Vector(values + i) }
  }
  return (sums[0] + sums[1] + sums[2] + sums[3]).fixedOrderSum
}
