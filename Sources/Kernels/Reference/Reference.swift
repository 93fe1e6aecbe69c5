import ExactMath
import Plan

/// The slow truth beside every fast kernel: the same signature, the same bits, written as the definition reads.
package enum Reference {
  /// `multiply`, one element after the other.
  package static func multiply(
    rows: Int, x: UnsafePointer<Float>, xStride: Int, w: borrowing PackedMatrix, start: UnsafePointer<Float>,
    startStride: Int, z: UnsafeMutablePointer<Float>, zStride: Int
  ) {
    for b in 0..<rows {
      for n in 0..<w.columns {
        var sum = start[b * startStride + n]
        for k in 0..<w.depth { sum.addProduct(x[b * xStride + k], w[k, n]) }
        z[b * zStride + n] = sum
      }
    }
  }

  /// `WeightGradient` for A = one column block: gradient[j][k, n] = Σ A[row, k] · dZ[row, n].
  package static func weightGradient(
    rows: ShardedRows, a: UnsafePointer<Float>, aStride: Int, depth: Int, dZ: UnsafePointer<Float>, zStride: Int,
    columns: Int, gradient: UnsafeMutablePointer<Float>, gradientStride: Int, subtreeStride: Int
  ) {
    func chain(_ shard: Int, _ k: Int, _ n: Int) -> Float {
      var sum: Float = 0
      for t in stride(from: rows.timesteps - 1, through: 0, by: -1) {
        for lane in rows.shardLanes[shard] {
          let row = t * rows.lanes + lane
          sum.addProduct(a[row * aStride + k], dZ[row * zStride + n])
        }
      }
      return sum
    }
    // A complete subtree of n leaves splits as the whole tree would, so its own indices are enough.
    func tree(_ node: Range<Int>, _ k: Int, _ n: Int) -> Float {
      if node.count == 1 { return chain(node.lowerBound, k, n) }
      let middle = SummationTree.split(node)
      return tree(node.lowerBound..<middle, k, n) + tree(middle..<node.upperBound, k, n)
    }
    for subtree in rows.subtrees {
      for k in 0..<depth {
        for n in 0..<columns {
          let element = gradient + (k * gradientStride + n)
          let sum = subtree.place.leftSiblings.reversed().reduce(tree(subtree.leaves, k, n)) { sum, left in
            element[left * subtreeStride] + sum
          }
          element[subtree.place.index * subtreeStride] = sum
        }
      }
    }
  }

  /// `binaryCrossEntropy`, from the probabilities in Double; for logits that e^z can be computed of.
  package static func binaryCrossEntropy(
    logits: UnsafeMutablePointer<Float>, targets: UnsafePointer<Float>, count: Int, scale: Float
  ) -> Double {
    var loss = 0.0
    let hasTarget = !targets[0].isNaN
    for k in 0..<padded(count) {
      if k >= count || !hasTarget {
        logits[k] = 0
        continue
      }
      let (z, y) = (logits[k], Double(targets[k]))
      let (yes, no) = (1 / (1 + Double(exponential(-z))), 1 / (1 + Double(exponential(z))))
      loss -= (y == 0 ? 0 : y * logarithm(yes)) + (y == 1 ? 0 : (1 - y) * logarithm(no))
      logits[k] = Float((yes - y) * Double(scale))
    }
    return loss
  }

  /// `crossEntropy`, with the sixteen lanes of its denominator written out.
  package static func crossEntropy(
    logits: UnsafeMutablePointer<Float>, vocabulary: Int, target: Int32, scale: Float
  ) -> Double {
    let width = padded(vocabulary)
    guard target >= 0 else {
      for v in 0..<width { logits[v] = 0 }
      return 0
    }
    let targetLogit = logits[Int(target)]
    let maximum = (0..<width).map { logits[$0] }.max()!
    var lanes = [Float](repeating: 0, count: 16)
    for v in 0..<width {
      logits[v] = exponential(logits[v] - maximum)
      lanes[v % 16] += logits[v]
    }
    var width16 = 16
    while width16 > 1 {
      width16 /= 2
      for lane in 0..<width16 { lanes[lane] += lanes[lane + width16] }
    }
    for v in 0..<width { logits[v] *= scale / lanes[0] }
    logits[Int(target)] -= scale
    return logarithm(Double(lanes[0])) + (Double(maximum) - Double(targetLogit))
  }
}
