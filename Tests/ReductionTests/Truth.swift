import TestSupport

/// What the reduction must come to, said plainly.
enum Truth {
  /// The sum of one value a leaf, in the order of the tree: a node splits at the largest power of two below its leaves.
  static func treeSum(_ leaves: ArraySlice<Float>) -> Float {
    guard leaves.count > 1 else { return leaves.first! }
    var half = 1
    while 2 * half < leaves.count { half *= 2 }
    let middle = leaves.startIndex + half
    return treeSum(leaves[..<middle]) + treeSum(leaves[middle...])
  }

  /// The shards of each rank: ⌊r·S/P⌋ ..< ⌊(r + 1)·S/P⌋.
  static func shards(_ shardCount: Int, ranks: Int) -> [Range<Int>] {
    (0..<ranks).map { $0 * shardCount / ranks..<($0 + 1) * shardCount / ranks }
  }
}

extension SplitMix {
  /// Of very different sizes, so that another order of additions gives other bits.
  mutating func float() -> Float {
    Float.random(in: -1...1, using: &self) * [1e-3, 1, 37, 1e4].randomElement(using: &self)!
  }

  /// Each of the rows with a probability, ascending.
  mutating func rows(_ count: Int, probability: Double) -> [Int32] {
    (0..<Int32(count)).filter { _ in Double.random(in: 0..<1, using: &self) < probability }
  }
}

/// A gradient of every shard, and what ranks hold of them.
struct ShardGradients {
  /// The elements of each shard's gradient.
  let leaves: [[Float]]

  /// Random elements, those of a table only in the rows that the shard's rank has.
  init(
    count: Int, shards: [Range<Int>], rows: [[Int32]] = [], rowSize: Int = 0, table: Int = 0,
    _ random: inout SplitMix
  ) {
    var leaves: [[Float]] = []
    for (rank, own) in shards.enumerated() {
      for _ in own {
        var gradient = (0..<count).map { _ in random.float() }
        for element in 0..<table where !rows[rank].contains(Int32(element / rowSize)) { gradient[element] = 0 }
        leaves.append(gradient)
      }
    }
    self.leaves = leaves
  }

  /// The gradient of a subtree of shards.
  func sum(_ subtree: Range<Int>) -> [Float] {
    leaves[0].indices.map { element in Truth.treeSum(leaves[subtree].map { $0[element] }[...]) }
  }
}

func bits(_ values: some Sequence<Float>) -> [UInt32] { values.map(\.bitPattern) }

/// The place of the first two values of which one has other bits than the other; nil where there are none.
func firstDifference(_ values: some Collection<Float>, _ truth: some Collection<Float>) -> Int? {
  if values.count != truth.count { return min(values.count, truth.count) }
  return zip(values, truth).enumerated().first { $0.element.0.bitPattern != $0.element.1.bitPattern }?.offset
}
