import Kernels
import Plan
import Reduction
import TestSupport

/// The gradient of a model with an embedding, in parts of several norm blocks.
struct VirtualGradient: Sendable {
  let rows = 1400
  let rowSize = 3
  let parts: [Range<Int>]
  /// The part that is one matrix with the embedding.
  let sharedPart: Int?

  var table: Int { rows * rowSize }
  var count: Int { parts.last!.upperBound }

  static let plain = VirtualGradient(parts: [0..<4200, 4200..<4201, 4201..<9202], sharedPart: nil)
  static let tied = VirtualGradient(parts: [0..<4200, 4200..<4201, 4201..<8401, 8401..<8500], sharedPart: 2)

  func plan(ranks: Int, shardCount: Int) -> ReductionPlan {
    ReductionPlan(
      parts: parts, embedding: (rows, rowSize, rows), sendsRows: true, sharedPart: sharedPart, shardCount: shardCount,
      shards: Truth.shards(shardCount, ranks: ranks))
  }

  /// A gradient of every shard, with the rows of its rank.
  func leaves(_ plan: ReductionPlan, rows: [[Int32]], _ random: inout SplitMix) -> ShardGradients {
    ShardGradients(count: count, shards: plan.shards, rows: rows, rowSize: rowSize, table: table, &random)
  }

  /// What comes of the sum over all shards: a shared matrix has both its parts, and counts once in the norm.
  func truth(_ sum: [Float]) -> (sum: [Float], norm: Double) {
    var joined = sum
    if let sharedPart {
      for element in parts[0] where sum[element] != 0 { joined[parts[sharedPart].lowerBound + element] += sum[element] }
    }
    var squares = 0.0
    for range in parts[(sharedPart == nil ? 0 : 1)...] {
      for first in stride(from: range.lowerBound, to: range.upperBound, by: normBlock) {
        var block = 0.0
        joined.withUnsafeBufferPointer {
          blockSquaredSums($0.baseAddress! + first, count: min(normBlock, range.upperBound - first), sums: &block)
        }
        squares += block
      }
    }
    return (joined, squares.squareRoot())
  }
}
