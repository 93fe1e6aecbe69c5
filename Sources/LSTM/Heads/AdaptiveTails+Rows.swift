import Kernels
import Plan

extension AdaptiveTails {
  /// One tail, and its rows in the pass.
  final class Tail {
    let shape: AdaptiveShape.Tail
    let projection: PackedWeights
    let weights: PackedWeights
    /// What logits begin with: 0, and −∞ behind the last one.
    let start: FloatBuffer
    /// First of its rows among the members, and where each shard's rows begin, counted from there.
    var firstMember = 0
    let shardStart: UnsafeMutableBufferPointer<Int>
    /// Of its first row.
    var (firstUnit, firstLogit) = (0, 0)

    init(_ shape: AdaptiveShape.Tail, inputs: Int, shards: Int, arena: FloatArena?) {
      self.shape = shape
      let units = shape.projection.isEmpty ? 0 : shape.units
      projection = PackedWeights(inputs: units == 0 ? 0 : inputs, outputs: units, in: arena)
      weights = PackedWeights(inputs: shape.units, outputs: shape.classes.count, in: arena)
      start = FloatBuffer(count: padded(shape.classes.count))
      (start.pointer + shape.classes.count).update(
        repeating: -.infinity, count: padded(shape.classes.count) - shape.classes.count)
      shardStart = .allocate(capacity: shards + 1)
      shardStart.initialize(repeating: 0)
    }

    deinit { shardStart.deallocate() }

    var unitStride: Int { padded(shape.units) }
    var logitStride: Int { padded(shape.classes.count) }
  }

  /// The rows of each tail, and the targets of the head's softmax.
  func assign(_ targets: UnsafeBufferPointer<Int32>, rows: ShardedRows) {
    _ = headTargets.update(fromContentsOf: targets)
    assigned.update(repeating: (-1, -1))
    var (member, unit, logit) = (0, 0, 0)
    for (index, tail) in tails.enumerated() {
      (tail.firstMember, tail.firstUnit, tail.firstLogit) = (member, unit, logit)
      let classes = Int32(tail.shape.classes.lowerBound)..<Int32(tail.shape.classes.upperBound)
      rows.order.withUnsafeBufferPointer { order in
        for shard in 0..<rows.shardLanes.count {
          for place in rows.shardStart[shard]..<rows.shardStart[shard + 1] {
            let row = Int(order[place])
            guard classes.contains(targets[row]) else { continue }
            members[member] = Int32(row)
            memberTargets[member] = targets[row] - classes.lowerBound
            headTargets[row] = Int32(shape.cutoffs[0] + index)
            assigned[row] = (Int32(index), Int32(member))
            member += 1
          }
          tail.shardStart[shard + 1] = member - tail.firstMember
        }
      }
      let count = member - tail.firstMember
      unit += count * tail.unitStride
      logit += count * tail.logitStride
    }
    shards = rows.shardLanes.count
  }

  /// Rows of a tail in the pass.
  func count(_ tail: Tail) -> Int { tail.shardStart[shards] }

  /// The logits of a row in its tail, or dlogits after the loss, and its target among the tail's classes; nil for a row
  /// without a tail.
  func member(ofRow row: Int) -> (logits: UnsafeMutableBufferPointer<Float>, target: Int32)? {
    let (index, member) = (Int(assigned[row].tail), Int(assigned[row].member))
    guard index >= 0 else { return nil }
    let tail = tails[index]
    let first = logits.pointer + (tail.firstLogit + (member - tail.firstMember) * tail.logitStride)
    return (UnsafeMutableBufferPointer(start: first, count: tail.shape.classes.count), memberTargets[member])
  }

  /// The first class of a row's tail among all.
  func firstClass(ofRow row: Int) -> Int { tails[Int(assigned[row].tail)].shape.classes.lowerBound }
}
