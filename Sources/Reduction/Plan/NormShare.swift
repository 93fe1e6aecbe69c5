/// The norm of a gradient whose blocks are squared by one rank each. It is that of the parameters' gradient: a matrix
/// that two parts share counts once, after they were joined.
package struct NormShare: Sendable {
  /// Sums of squares of all blocks; `square` sets those of the owner's.
  package var blockSums: [Double]

  private let plan: ReductionPlan
  private let parts: GradientParts
  private let owner: Int?

  /// - Parameters:
  ///   - parts: whose blocks are squared by one owner each.
  ///   - owner: which of them this rank is, nil for none.
  package init(_ plan: ReductionPlan, parts: GradientParts, owner: Int?) {
    (self.plan, self.parts, self.owner) = (plan, parts, owner)
    blockSums = Array(repeating: 0, count: parts.blockCount)
  }

  /// Squares the owner's blocks of a joined gradient, of which it has these blocks at least. `changed`: where the
  /// gradient may be other than +0.0, ascending.
  package mutating func square(_ gradient: UnsafePointer<Float>, changed: [Range<Int>]) {
    guard let owner else { return }
    let changed = plan.ofParameters(changed)
    blockSums.withUnsafeMutableBufferPointer {
      for part in parts.parts.indices {
        parts.squaredSums(ofPart: part, rank: owner, changed: changed, gradient: gradient, sums: $0.baseAddress!)
      }
    }
  }

  /// Block sums are added in index order, whoever computed them.
  package var norm: Double { blockSums.reduce(0, +).squareRoot() }
}
