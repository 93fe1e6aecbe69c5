import ExactMath
import Kernels
import Testing

/// Each loop that is compiled for several instruction sets has the same bits on all of them that this processor offers.
/// Where it offers one there is nothing to compare; the tests of the kernels hold that one against the references.
@Suite(.enabled(if: InstructionSet.offered.count > 1, "the processor offers no more than the baseline"))
struct InstructionSetTests {
  @Test func productsHaveTheSameBits() {
    for rows in 0...27 {
      for (panels, depth) in [(1, 5), (2, 1), (3, 17), (4, 8), (5, 0), (7, 33)] {
        let width = panels * vectorWidth
        let (x, w) = (randomFloats(rows * depth + 1, seed: 1), randomFloats(depth * width + 1, seed: 2))
        let start = randomFloats(rows * width + 1, seed: 3)
        func product(on set: InstructionSet) -> [UInt32] {
          var z = start
          compute(
            PanelProduct(
              rows: rows, x: x, xStride: depth, w: w, panelStride: depth * vectorWidth, panels: panels, depth: depth,
              start: start, startStride: width, z: &z, zStride: width), on: set)
          return z.map(\.bitPattern)
        }
        #expect(product(on: .baseline) == product(on: .avx512), "\(rows) rows, \(panels) panels, \(depth) terms")
      }
    }
  }

  /// Three shards of which the second comes in two chunks and the last completes two nodes; from +0.0 or from sums that
  /// are read first, to stacks of their own or to one.
  @Test(arguments: [false, true], [false, true]) func weightGradientsHaveTheSameBits(reads: Bool, sharesStack: Bool) {
    for (depth, columns, rows) in [
      (1, 1, [1, 2, 0, 3]), (12, 32, [0, 0, 0, 0]), (23, 47, [9, 1, 4, 5]), (25, 80, [4, 8, 1, 0]),
    ] {
      let (blocks, panels) = ((depth + blockColumns - 1) / blockColumns, padded(columns) / vectorWidth)
      let rowCount = rows.reduce(0, +)
      let a = buffer(randomFloats(blocks * blockColumns * rowCount, seed: 4))
      let z = buffer(randomFloats(panels * vectorWidth * rowCount, seed: 5))
      let source = buffer(randomFloats(depth * columns, seed: 6))
      let levels = 3 * 2 * blockColumns
      let stack = FloatBuffer(count: (blocks * (panels + 1) / 2 + 1) * levels * vectorWidth)
      func sums(on set: InstructionSet) -> [Float] {
        // A level that is read before it is written shows.
        stack.pointer.update(repeating: .nan, count: stack.count)
        let gradient = buffer([Float](repeating: 9, count: depth * columns + 1))
        var first = 0
        var chunks = zip(rows, [0, 1, 1, 2]).enumerated().map { index, chunk in
          defer { first += chunk.0 }
          return GradientTiles.Chunk(
            rows: first..<first + chunk.0, level: chunk.1, continuing: index == 2 || reads && index == 3)
        }
        chunks[3].source = reads ? UnsafePointer(source.pointer) : nil
        chunks[3].merges = 2
        chunks[3].destination = gradient.pointer
        chunks.withUnsafeBufferPointer { chunks in
          stack.pointer.withMemoryRebound(to: Vector.self, capacity: stack.count / vectorWidth) { stack in
            compute(
              GradientTiles(
                chunks: chunks, a: a.pointer, blockCount: blocks, blocks: 0..<blocks, z: z.pointer, panels: 0..<panels,
                next: GradientTiles.NextRows(z.pointer, stride: 0, count: 0, panels: 0), depth: depth, columns: columns,
                rowStride: columns, stack: stack,
                stackStride: sharesStack ? 0 : levels), on: set)
          }
        }
        return (0..<gradient.count).map { gradient.pointer[$0] }
      }
      let baseline = sums(on: .baseline)
      #expect(baseline.map(\.bitPattern) == sums(on: .avx512).map(\.bitPattern), "\(depth) × \(columns), \(rows) rows")
      #expect(baseline.dropLast().allSatisfy { abs($0) < 9 } && baseline.last == 9, "what is written, and no more")
    }
  }

  @Test func elementaryFunctionsHaveTheSameBits() {
    let special: [Float] = [0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, 88.8, -87.4, -104, 1e30]
    let values = special + randomFloats(1003, seed: 6).map { 40 * $0 }
    func bits(_ apply: (UnsafeMutablePointer<Float>, Int) -> Void) -> [UInt32] {
      var y = values
      y.withUnsafeMutableBufferPointer { apply($0.baseAddress!, $0.count) }
      return y.map(\.bitPattern)
    }
    for set in InstructionSet.offered {
      #expect(bits { applySigmoid($0, count: $1, on: set) } == values.map { sigmoid($0).bitPattern })
      #expect(
        bits { applyHyperbolicTangent($0, count: $1, on: set) } == values.map { hyperbolicTangent($0).bitPattern })
      #expect(
        bits { applyExponential($0, minus: 1.5, count: $1, on: set) } == values.map { exponential($0 - 1.5).bitPattern }
      )
    }
  }

  @Test func aSetIsChosenByNameOrRefused() {
    #expect(InstructionSet.chosen(nil) == InstructionSet.offered.last)
    #expect(InstructionSet.chosen("baseline") == .baseline)
    #expect(InstructionSet.chosen("avx1024") == nil)
  }
}

private func buffer(_ values: [Float]) -> FloatBuffer {
  let buffer = FloatBuffer(count: values.count)
  for (index, value) in values.enumerated() { buffer.pointer[index] = value }
  return buffer
}
