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

  @Test(arguments: [false, true]) func weightGradientsHaveTheSameBits(continuing: Bool) {
    for (blocks, panels, rows) in [(1, 1, 3), (2, 2, 0), (1, 3, 9), (3, 4, 18), (2, 5, 1)] {
      for merges in 0...2 {
        let (a, z) = (
          randomFloats(blocks * rows * blockColumns + 1, seed: 4), randomFloats(panels * rows * 16 + 1, seed: 5)
        )
        let level = blocks * panels * blockColumns
        let earlier = (0..<3 * level).map { Vector(repeating: Float($0) * 0.37) }
        func sums(on set: InstructionSet) -> [Vector] {
          var stack = earlier
          stack.withUnsafeMutableBufferPointer { stack in
            compute(
              GradientTiles(
                a: a, blockStride: rows * blockColumns, blocks: blocks, z: z, panelStride: rows * vectorWidth,
                panels: panels, rows: rows, continuing: continuing, merges: merges,
                stack: stack.baseAddress! + 2 * level), on: set)
          }
          return stack
        }
        #expect(sums(on: .baseline) == sums(on: .avx512), "\(blocks) blocks, \(panels) panels, \(rows) rows")
      }
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
