import Kernels

/// Who owns which part of the flat gradient. Each part of the model is cut into blocks of `normBlock` elements, and
/// each rank owns a run of a part's blocks, remainders spread evenly: rank r those from ⌊r·n/P⌋ to ⌊(r + 1)·n/P⌋.
package struct GradientParts: Sendable {
  /// The parts in memory order.
  package let parts: [Range<Int>]
  /// P.
  package let ranks: Int
  /// Index of a part's first block among the blocks of all parts.
  package let firstBlock: [Int]
  /// Blocks of all parts.
  package let blockCount: Int

  package init(parts: [Range<Int>], ranks: Int) {
    self.parts = parts
    self.ranks = ranks
    var next = 0
    firstBlock = parts.map { part in
      defer { next += GradientParts.blocks(part) }
      return next
    }
    blockCount = next
  }

  private static func blocks(_ part: Range<Int>) -> Int { (part.count + normBlock - 1) / normBlock }

  /// Blocks of a part that a rank owns, counted within the part.
  package func blocks(ofPart part: Int, rank: Int) -> Range<Int> {
    let count = GradientParts.blocks(parts[part])
    return rank * count / ranks..<(rank + 1) * count / ranks
  }

  /// The elements of a part that a rank owns, as a range of the flat gradient.
  package func slice(ofPart part: Int, rank: Int) -> Range<Int> {
    let (range, owned) = (parts[part], blocks(ofPart: part, rank: rank))
    return min(
      range.lowerBound + owned.lowerBound * normBlock, range.upperBound)..<min(
        range.lowerBound + owned.upperBound * normBlock, range.upperBound)
  }

  /// The sums of squares of the blocks of a part that a rank owns, each at its index among the blocks of all parts. A
  /// block without an element in one of the `changed` ranges, which ascend, is +0.0 throughout. `complete` is called for
  /// what a changed range has of a block, just before the block is read.
  package func squaredSums(
    ofPart part: Int, rank: Int, changed: ArraySlice<Range<Int>>, gradient: UnsafePointer<Float>,
    sums: UnsafeMutablePointer<Double>, complete: (Range<Int>) -> Void = { _ in }
  ) {
    let slice = slice(ofPart: part, rank: rank)
    var next = changed.firstIndex { $0.upperBound > slice.lowerBound } ?? changed.endIndex
    for (index, block) in blocks(ofPart: part, rank: rank).enumerated() {
      let first = slice.lowerBound + index * normBlock
      let elements = first..<min(first + normBlock, slice.upperBound)
      let sum = sums + (firstBlock[part] + block)
      sum.pointee = 0
      let isChanged = next < changed.endIndex && changed[next].lowerBound < elements.upperBound
      while next < changed.endIndex && changed[next].lowerBound < elements.upperBound {
        complete(changed[next].clamped(to: elements))
        if changed[next].upperBound > elements.upperBound { break }
        next += 1
      }
      if isChanged { blockSquaredSums(gradient + first, count: elements.count, sums: sum) }
    }
  }
}
