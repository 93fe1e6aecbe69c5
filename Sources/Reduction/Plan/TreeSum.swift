import Kernels
import Plan

/// The additions that make a sum over many shards from the sums of complete subtrees: written down once, and made for
/// slice after slice.
package struct TreeSum: Sendable {
  /// What is added: a source, or the sum that an earlier addition left at a level.
  private enum Term: Sendable {
    case source(Int)
    case sum(level: Int)
  }

  private struct Addition: Sendable {
    let left: Term
    let right: Term
    let level: Int
  }

  private let additions: [Addition]
  private let levels: Int
  /// Elements that are summed at once: all levels stay in the first-level cache.
  package static let chunk = 1024

  /// - Parameters:
  ///   - root: a node of the tree, or all of it.
  ///   - subtrees: disjoint nodes below it that cover its leaves, ascending; source i is the sum of the i-th.
  package init(root: Range<Int>, subtrees: [Range<Int>]) {
    var additions: [Addition] = []
    var next = 0
    func term(_ node: Range<Int>, level: Int) -> Term {
      if subtrees[next] == node {
        defer { next += 1 }
        return .source(next)
      }
      let middle = SummationTree.split(node)
      let left = term(node.lowerBound..<middle, level: level)
      let right = term(middle..<node.upperBound, level: level + 1)
      additions.append(Addition(left: left, right: right, level: level))
      return .sum(level: level)
    }
    _ = term(root, level: 0)
    self.additions = additions
    levels = (additions.map(\.level).max() ?? 0) + 1
  }

  /// Floats of scratch memory that `add` needs.
  package var scratchCount: Int { levels * TreeSum.chunk }

  /// destination[i] = the tree sum of sources[…][offset + i]; the destination may be one of the sources.
  package func add(
    _ sources: [UnsafePointer<Float>], at offset: Int, into destination: UnsafeMutablePointer<Float>, count: Int,
    scratch: UnsafeMutablePointer<Float>
  ) {
    guard let last = additions.last else { return destination.update(from: sources[0] + offset, count: count) }
    for first in stride(from: 0, to: count, by: TreeSum.chunk) {
      let length = min(TreeSum.chunk, count - first)
      func elements(_ term: Term) -> UnsafePointer<Float> {
        switch term {
        case .source(let index): sources[index] + (offset + first)
        case .sum(let level): UnsafePointer(scratch + level * TreeSum.chunk)
        }
      }
      for addition in additions.dropLast() {
        setSum(
          scratch + addition.level * TreeSum.chunk, elements(addition.left), elements(addition.right), count: length)
      }
      setSum(destination + first, elements(last.left), elements(last.right), count: length)
    }
  }
}
