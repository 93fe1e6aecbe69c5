import Kernels

/// The additions that make a sum over many shards from the sums of complete subtrees: a program of pushes and merges,
/// written down once and run on slice after slice.
struct TreeSum: Sendable {
  private enum Instruction: Sendable {
    /// Put the next source on the stack.
    case push(source: Int)
    /// Replace the two upper values by their sum, the lower one on the left.
    case merge
  }

  private let program: [Instruction]
  private let depth: Int
  /// Numbers that are summed at once: all levels of the stack stay in the first-level cache.
  static let chunk = 1024

  /// - Parameters:
  ///   - root: a node of the tree, or all of it.
  ///   - subtrees: disjoint nodes below it that cover its leaves, ascending; source i is the sum of the i-th.
  init(root: Range<Int>, subtrees: [Range<Int>]) {
    var program: [Instruction] = []
    var (next, height, deepest) = (0, 0, 0)
    func visit(_ node: Range<Int>) {
      if subtrees[next] == node {
        program.append(.push(source: next))
        next += 1
        height += 1
        deepest = max(deepest, height)
      } else {
        let middle = SummationTree.split(node)
        visit(node.lowerBound..<middle)
        visit(middle..<node.upperBound)
        program.append(.merge)
        height -= 1
      }
    }
    visit(root)
    self.program = program
    depth = deepest
  }

  /// Floats of scratch memory that `add` needs.
  var scratchCount: Int { depth * TreeSum.chunk }

  /// destination[i] = the tree sum of sources[…][offset + i]; the destination may be one of the sources.
  func add(
    _ sources: [UnsafePointer<Float>], at offset: Int, into destination: UnsafeMutablePointer<Float>, count: Int,
    scratch: UnsafeMutablePointer<Float>
  ) {
    for first in stride(from: 0, to: count, by: TreeSum.chunk) {
      let length = min(TreeSum.chunk, count - first)
      var top = scratch
      for instruction in program {
        switch instruction {
        case .push(let source):
          top.update(from: sources[source] + (offset + first), count: length)
          top += TreeSum.chunk
        case .merge:
          top -= TreeSum.chunk
          Kernels.add(top - TreeSum.chunk, top, count: length)
        }
      }
      (destination + first).update(from: scratch, count: length)
    }
  }
}
