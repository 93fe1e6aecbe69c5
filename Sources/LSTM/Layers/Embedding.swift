import Kernels
import Plan

/// The table E [V, D]: one row of D numbers for each token.
package final class Embedding {
  /// V, rows of the table.
  package let vocabulary: Int
  /// D, numbers in a row.
  package let size: Int
  private let rowStride: Int
  private var rows: ShardedRows
  /// Places of `rows.order`, sorted by token.
  private var places: [Int32]
  /// First place of each token among `places`, and one past the last of all.
  private var tokenStart: [Int32]
  /// The tokens of the step's backward passes so far, ascending, each once.
  package private(set) var seen: [Int32] = []
  private var isSeen: [Bool]
  /// Gradients that the passes write.
  private let gradientCount: Int
  /// Partial sums of one row of the gradient, one for each level of the summation tree.
  private let stack: FloatBuffer

  /// A table whose gradient is summed in the order of the passes. The first one is selected.
  package init(vocabulary: Int, size: Int, passes: [ShardedRows]) {
    self.vocabulary = vocabulary
    self.size = size
    rows = passes[0]
    rowStride = padded(size)
    places = Array(repeating: 0, count: passes.map(\.order.count).max()!)
    tokenStart = Array(repeating: 0, count: vocabulary + 1)
    isSeen = Array(repeating: false, count: vocabulary)
    seen.reserveCapacity(min(vocabulary, passes.reduce(0) { $0 + $1.order.count }))
    let subtrees = passes.flatMap(\.subtrees)
    gradientCount = subtrees.map { $0.place.index + 1 }.max() ?? 0
    let deepest = subtrees.map(\.leaves.count).max() ?? 1
    stack = FloatBuffer(count: (Int.bitWidth - deepest.leadingZeroBitCount + 1) * size)
  }

  /// The next forward and backward are those of this pass.
  func use(_ pass: ShardedRows) { rows = pass }

  /// A new step begins: no token is seen.
  func forgetSeen() {
    for token in seen { isSeen[Int(token)] = false }
    seen.removeAll(keepingCapacity: true)
  }

  /// x[row, :] = E[token[row], :] for all T·B rows. x [T·B, Dp].
  package func forward(
    tokens: UnsafeBufferPointer<Int32>, table: UnsafePointer<Float>, x: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<tokens.count {
      (x + row * rowStride).update(from: table + Int(tokens[row]) * size, count: size)
    }
  }

  /// dE[v, :] = Σ dx[row, :] over the rows whose token is v: a chain for each shard, then the summation tree over
  /// shards, where a shard without the token is a leaf of +0.0. The sums go where `WeightGradient` places them:
  /// gradient j, [V, D], begins at `gradient + j · subtreeStride`. dx [T·B, Dp].
  ///
  /// Only rows of tokens that are `seen` are written: all must be +0.0 before the first pass, as `clear` leaves them.
  /// With a `piece` the rows are some of the chains'; what waits must be +0.0 before the first piece, and is after the
  /// last one, which alone writes a gradient.
  package func backward(
    tokens: UnsafeBufferPointer<Int32>, dx: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    subtreeStride: Int, piece: ChainPiece? = nil
  ) {
    sortPlaces(tokens)
    if let piece {
      addToChains(dx, piece)
      guard piece.ends else { return }
    }
    for subtree in rows.subtrees {
      for token in seen {
        sumRow(
          Int(token), subtree: subtree, dx: dx, gradient: gradient + Int(token) * size, subtreeStride: subtreeStride,
          piece: piece)
      }
    }
    guard let piece else { return }
    for shard in rows.shardLanes.indices {
      for token in seen { (piece.sums(ofShard: shard) + Int(token) * size).update(repeating: 0, count: size) }
    }
  }

  /// The chains of all tokens and shards go on over the rows of a piece.
  private func addToChains(_ dx: UnsafePointer<Float>, _ piece: ChainPiece) {
    for token in 0..<vocabulary {
      var shard = 0
      for next in Int(tokenStart[token])..<Int(tokenStart[token + 1]) {
        let place = Int(places[next])
        while place >= rows.shardStart[shard + 1] { shard += 1 }
        add(piece.sums(ofShard: shard) + token * size, dx + Int(rows.order[place]) * rowStride, count: size)
      }
    }
  }

  /// Sets the rows of the tokens that are `seen` to +0.0 in every gradient.
  package func clear(gradient: UnsafeMutablePointer<Float>, subtreeStride: Int) {
    for j in 0..<gradientCount {
      for token in seen { (gradient + (j * subtreeStride + Int(token) * size)).update(repeating: 0, count: size) }
    }
  }

  /// Counting sort of the places by token; places of one token stay in chain order.
  private func sortPlaces(_ tokens: UnsafeBufferPointer<Int32>) {
    for v in 0...vocabulary { tokenStart[v] = 0 }
    for token in tokens { tokenStart[Int(token) + 1] += 1 }
    for v in 0..<vocabulary { tokenStart[v + 1] += tokenStart[v] }
    for place in 0..<rows.order.count {
      let token = Int(tokens[Int(rows.order[place])])
      places[Int(tokenStart[token])] = Int32(place)
      tokenStart[token] += 1
    }
    // Each start has moved to its end: the starts are one further on.
    for v in stride(from: vocabulary, to: 0, by: -1) { tokenStart[v] = tokenStart[v - 1] }
    tokenStart[0] = 0
    seen.removeAll(keepingCapacity: true)
    for v in 0..<vocabulary {
      if tokenStart[v] < tokenStart[v + 1] { isSeen[v] = true }
      if isSeen[v] { seen.append(Int32(v)) }
    }
  }

  /// One row of the gradient of one subtree, leaf after leaf as `WeightGradient` does it. A subtree without the token
  /// is +0.0, which changes a sum on its left only where that is −0.0.
  private func sumRow(
    _ token: Int, subtree: ShardedRows.Subtree, dx: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    subtreeStride: Int, piece: ChainPiece?
  ) {
    if let piece { sumLeaves(token, subtree, piece) } else { sumLeaves(token, subtree, dx) }
    for left in subtree.place.leftSiblings.reversed() {
      add(stack.pointer, gradient + left * subtreeStride, count: size)
    }
    (gradient + subtree.place.index * subtreeStride).update(from: stack.pointer, count: size)
  }

  /// Leaves the sum of a token's row over the leaves of a subtree at the bottom of the stack.
  private func sumLeaves(_ token: Int, _ subtree: ShardedRows.Subtree, _ dx: UnsafePointer<Float>) {
    var (next, end) = (Int(tokenStart[token]), Int(tokenStart[token + 1]))
    while next < end && Int(places[next]) < rows.shardStart[subtree.leaves.lowerBound] { next += 1 }
    while end > next && Int(places[end - 1]) >= rows.shardStart[subtree.leaves.upperBound] { end -= 1 }
    guard next < end else { return stack.pointer.update(repeating: 0, count: size) }
    var depth = 0
    for leaf in subtree.leaves {
      let top = stack.pointer + depth * size
      top.update(repeating: 0, count: size)
      while next < end && Int(places[next]) < rows.shardStart[leaf + 1] {
        let row = Int(rows.order[Int(places[next])])
        add(top, dx + row * rowStride, count: size)
        next += 1
      }
      depth += 1
      merge(after: leaf, of: subtree, depth: &depth)
    }
  }

  /// The same where the leaves' sums have been made in pieces.
  private func sumLeaves(_ token: Int, _ subtree: ShardedRows.Subtree, _ piece: ChainPiece) {
    var depth = 0
    for leaf in subtree.leaves {
      (stack.pointer + depth * size).update(from: piece.sums(ofShard: leaf) + token * size, count: size)
      depth += 1
      merge(after: leaf, of: subtree, depth: &depth)
    }
  }

  /// Adds up the nodes on the stack that are complete with a leaf.
  private func merge(after leaf: Int, of subtree: ShardedRows.Subtree, depth: inout Int) {
    for _ in 0..<subtree.mergesAfterLeaf[leaf - subtree.leaves.lowerBound] {
      depth -= 1
      add(stack.pointer + (depth - 1) * size, stack.pointer + depth * size, count: size)
    }
  }
}
