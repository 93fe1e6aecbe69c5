/// The one order in which partial sums of shards are added, whoever holds them: a binary tree over the leaves
/// 0 ..< S. A node of n leaves splits at the largest power of two below n, so a range of ranks that are powers of two
/// falls into few complete subtrees.
package enum SummationTree {
  /// Where a node of `leaves` splits: its left child is `leaves.lowerBound ..< split`.
  /// - Precondition: at least two leaves.
  @inlinable
  package static func split(_ leaves: Range<Int>) -> Int {
    precondition(leaves.count >= 2, "a leaf does not split")
    let half = 1 << (Int.bitWidth - 1 - (leaves.count - 1).leadingZeroBitCount)
    return leaves.lowerBound + half
  }

  /// The maximal complete subtrees of the tree over 0 ..< leafCount that lie inside `range`, in index order. They
  /// cover the range; there are at most 2·log₂(leafCount) of them. An empty range has none.
  package static func subtrees(of range: Range<Int>, leafCount: Int) -> [Range<Int>] {
    var found: [Range<Int>] = []
    func visit(_ node: Range<Int>) {
      if node.clamped(to: range).isEmpty { return }
      if range.lowerBound <= node.lowerBound && node.upperBound <= range.upperBound {
        found.append(node)
        return
      }
      let middle = split(node)
      visit(node.lowerBound..<middle)
      visit(middle..<node.upperBound)
    }
    if leafCount > 0 { visit(0..<leafCount) }
    return found
  }

  /// The maximal complete subtrees of the tree over all leaves whose leaves are all included, in index order.
  package static func subtrees(ofLeaves isIncluded: [Bool]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    func visit(_ node: Range<Int>) {
      if isIncluded[node].allSatisfy({ $0 }) {
        found.append(node)
      } else if isIncluded[node].contains(true) {
        let middle = split(node)
        visit(node.lowerBound..<middle)
        visit(middle..<node.upperBound)
      }
    }
    if !isIncluded.isEmpty { visit(0..<isIncluded.count) }
    return found
  }

  /// Where the sum of a subtree goes when the subtrees of a rank's leaves are summed one after the other.
  package struct Place: Equatable, Sendable {
    /// Which of the rank's sums it becomes, from 0.
    package let index: Int
    /// The sums that complete nodes together with it, all before it: each is added on its left, from the last to the
    /// first.
    package let leftSiblings: Range<Int>
  }

  /// The place of a node among the sums of `own`, leaves that are summed in ascending order. As soon as two sums
  /// complete a node within `own` they become one; so the sums up to any leaf are those of the maximal subtrees up to
  /// there, and in the end those of `subtrees(of: own, …)`.
  /// - Precondition: `node` is a node of the tree over 0 ..< leafCount, within `own`.
  package static func place(of node: Range<Int>, in own: Range<Int>, leafCount: Int) -> Place {
    let before = subtrees(of: own.lowerBound..<node.lowerBound, leafCount: leafCount).count
    let after = subtrees(of: own.lowerBound..<node.upperBound, leafCount: leafCount).count
    return Place(index: after - 1, leftSiblings: after - 1..<before)
  }

  /// The sum of one value a leaf, added in tree order; zero for no leaf. `leaf` gives the value of a leaf.
  package static func sum(_ leaves: Range<Int>, leaf: (Int) -> Double) -> Double {
    switch leaves.count {
    case 0: return 0
    case 1: return leaf(leaves.lowerBound)
    default:
      let middle = split(leaves)
      return sum(leaves.lowerBound..<middle, leaf: leaf) + sum(middle..<leaves.upperBound, leaf: leaf)
    }
  }
}
