import Kernels
import Plan
import Reduction
import TestSupport
import Testing

/// Virtual ranks that read each other's memory between two meetings, each at its own pace.
@Suite struct SharedMemoryTests {
  /// A rank's gradients, one for each of its subtrees, and the scalars that the others read.
  private final class VirtualRank {
    let gradients: UnsafeMutableBufferPointer<Float>
    let scalars: UnsafeMutableRawBufferPointer
    private static let guardBytes = 16

    init(subtrees: Int, count: Int, scalarBytes: Int) {
      gradients = .allocate(capacity: subtrees * count)
      gradients.initialize(repeating: .nan)
      scalars = .allocate(byteCount: scalarBytes + VirtualRank.guardBytes, alignment: 64)
      // What was there before must not matter.
      scalars.initializeMemory(as: UInt8.self, repeating: 0xFF)
    }

    var isWithinBounds: Bool { scalars.suffix(VirtualRank.guardBytes).allSatisfy { $0 == 0xFF } }

    deinit {
      gradients.deallocate()
      scalars.deallocate()
    }
  }

  private func check(_ gradient: VirtualGradient, ranks: Int, shardCount: Int) {
    var random = SplitMix(state: UInt64(ranks * 100 + shardCount))
    let plan = gradient.plan(ranks: ranks, shardCount: shardCount)
    let (count, bytes) = (gradient.count, SharedSum.scalarBytes(plan))
    let memory = plan.subtrees.map { VirtualRank(subtrees: $0.count, count: count, scalarBytes: bytes) }
    let sums = memory.indices.map { rank in
      SharedSum(
        plan, rank: rank, gradient: { memory[$0].gradients.baseAddress! + $1 * count },
        segment: { memory[$0].scalars.baseAddress! })
    }
    // Two steps, of which the first leaves nothing to the second.
    for probability in [0.02, 0.001] {
      let rows = memory.map { _ in random.rows(gradient.rows, probability: probability) }
      let leaves = gradient.leaves(plan, rows: rows, &random)
      for (rank, own) in memory.enumerated() {
        _ = own.gradients.update(fromContentsOf: plan.subtrees[rank].flatMap(leaves.sum))
        sums[rank].publish(rows: rows[rank])
      }
      let values = (0..<shardCount).map { Double($0) + probability }
      between(sums, plan, values, &random)
      let (sum, norm) = gradient.truth(leaves.sum(0..<shardCount))
      for (rank, own) in sums.enumerated() {
        let name: Comment = "rank \(rank) of \(ranks), S \(shardCount)"
        #expect(own.readScalars() == norm, name)
        #expect(own.shardValues == values && own.stopFlags == memory.indices.map { -Double($0) }, name)
        for range in own.ownedRanges {
          #expect(firstDifference(memory[rank].gradients[range], sum[range]) == nil, name)
        }
        let seen = Set(rows.joined())
        let changed = own.ownedRanges.joined().filter {
          $0 >= gradient.table || seen.contains(Int32($0 / gradient.rowSize))
        }
        #expect(own.changedRanges.flatMap(Array.init) == changed, name)
      }
      for part in plan.parts.indices {
        let owned = sums.flatMap { Array($0.ownedRanges[part]) }
        #expect(owned == Array(plan.parts[part]), "every element has one owner")
      }
    }
    #expect(memory.allSatisfy { $0.isWithinBounds })
  }

  /// Between two meetings a rank may be far ahead of another: what each does is interleaved in random order.
  private func between(_ sums: [SharedSum], _ plan: ReductionPlan, _ values: [Double], _ random: inout SplitMix) {
    var next = sums.map { _ in 0 }
    let last = plan.parts.count + 2
    while let rank = sums.indices.filter({ next[$0] <= last }).randomElement(using: &random) {
      switch next[rank] {
      case 0: sums[rank].findChangedRanges()
      case 1...plan.parts.count: sums[rank].sum(part: next[rank] - 1)
      case plan.parts.count + 1: sums[rank].joinShared()
      default:
        values[plan.shards[rank]].withUnsafeBufferPointer {
          sums[rank].publish(shardValues: $0, stopFlag: -Double(rank))
        }
      }
      next[rank] += 1
    }
  }

  @Test(arguments: 1...9) func eachRankHasTheBitsOfTheTreeSumInItsRanges(ranks: Int) {
    for shardCount in [ranks, 11, 16] { check(.plain, ranks: ranks, shardCount: shardCount) }
  }

  @Test(arguments: 1...9) func aSharedMatrixIsJoinedAndCountsOnce(ranks: Int) {
    for shardCount in [ranks, 13] { check(.tied, ranks: ranks, shardCount: shardCount) }
  }
}
