import Kernels

/// The flat parameters cut so that norms of whole tensors have the same bits whoever owns what: at the boundaries of
/// tensors, and at multiples of `normBlock` from the start of each part, where slices of ranks begin and end. A
/// tensor's squared norm is the sum over its blocks in their order.
package struct NormBlocks: Sendable {
  /// A block, and the tensor that it belongs to.
  package struct Block: Equatable, Sendable {
    /// At most `normBlock` numbers.
    package let range: Range<Int>
    /// Index of the tensor.
    package let tensor: Int
  }

  /// All blocks in memory order.
  package let blocks: [Block]
  /// How many tensors there are.
  package let tensorCount: Int

  /// - Parameters:
  ///   - parts: ranges within which ranks own slices, in memory order; together all parameters.
  ///   - tensors: the tensors in memory order, each within a part; together all parameters.
  package init(parts: [Range<Int>], tensors: [Range<Int>]) {
    tensorCount = tensors.count
    var blocks: [Block] = []
    for (tensor, range) in tensors.enumerated() where !range.isEmpty {
      let part = parts.first { $0.contains(range.lowerBound) }!
      precondition(part.upperBound >= range.upperBound, "a tensor lies within a part")
      var first = range.lowerBound
      while first < range.upperBound {
        let next = part.lowerBound + ((first - part.lowerBound) / normBlock + 1) * normBlock
        blocks.append(Block(range: first..<min(next, range.upperBound), tensor: tensor))
        first = next
      }
    }
    self.blocks = blocks
  }

  /// The indices of the blocks within a range that begins and ends where blocks do.
  func indices(in range: Range<Int>) -> Range<Int> {
    func firstIndex(from place: Int) -> Int { blocks.firstIndex { $0.range.lowerBound >= place } ?? blocks.count }
    return range.isEmpty ? 0..<0 : firstIndex(from: range.lowerBound)..<firstIndex(from: range.upperBound)
  }
}
