import Kernels
import MPI

/// Who owns which part of the flat gradient. Each part of the model is cut into blocks of `normBlock` numbers, and
/// each rank owns a run of a part's blocks, remainders spread evenly: rank r those from ⌊r·n/P⌋ to ⌊(r + 1)·n/P⌋.
struct GradientParts: Sendable {
  /// The parts in memory order.
  let parts: [Range<Int>]
  /// P.
  let ranks: Int
  /// Index of a part's first block among the blocks of all parts.
  let firstBlock: [Int]
  /// Blocks of all parts.
  let blockCount: Int

  init(parts: [Range<Int>], ranks: Int) {
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
  func blocks(ofPart part: Int, rank: Int) -> Range<Int> {
    let count = GradientParts.blocks(parts[part])
    return rank * count / ranks..<(rank + 1) * count / ranks
  }

  /// For each part, what each rank owns of it, counted within the part.
  var slices: [Segments] {
    parts.indices.map { part in
      let slices = (0..<ranks).map { slice(ofPart: part, rank: $0) }
      return Segments(counts: slices.map(\.count), displacements: slices.map { $0.lowerBound - parts[part].lowerBound })
    }
  }

  /// The numbers of a part that a rank owns, as a range of the flat gradient.
  func slice(ofPart part: Int, rank: Int) -> Range<Int> {
    let (range, owned) = (parts[part], blocks(ofPart: part, rank: rank))
    return min(
      range.lowerBound + owned.lowerBound * normBlock, range.upperBound)..<min(
        range.lowerBound + owned.upperBound * normBlock, range.upperBound)
  }
}
