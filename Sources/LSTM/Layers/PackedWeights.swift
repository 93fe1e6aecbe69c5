import Kernels

/// W [K, N] in the order in which products read it, forward and back: y·W, and dz·Wᵀ.
struct PackedWeights: ~Copyable {
  let forward: PackedMatrix
  let backward: PackedMatrix

  init(inputs: Int, outputs: Int, in arena: FloatArena?) {
    forward = PackedMatrix(depth: inputs, columns: outputs, in: arena)
    backward = PackedMatrix(depth: outputs, columns: inputs, in: arena)
  }

  /// Copies a share of W, row-major.
  borrowing func pack(_ w: UnsafePointer<Float>, share: Share) {
    let (K, N) = (forward.depth, forward.columns)
    // Panel after panel of the transpose: what the first copy has read is still in the cache for the second.
    let rows = share.of(K, unit: vectorWidth)
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: vectorWidth) {
      let count = min(vectorWidth, rows.upperBound - first)
      let source = w + first * N
      forward.pack(source, stride: N, rows: count, columns: N, firstRow: first)
      backward.packTransposed(source, stride: N, rows: N, columns: count, firstColumn: first)
    }
  }

  /// Copies a share of W from its transpose, rows [N, K] of which these are columns `first` and those behind it.
  borrowing func pack(rows w: UnsafePointer<Float>, count: Int, at first: Int, share: Share) {
    let K = forward.depth
    let columns = share.of(count, unit: vectorWidth)
    let (from, column) = (w + columns.lowerBound * K, first + columns.lowerBound)
    forward.packTransposed(from, stride: K, rows: K, columns: columns.count, firstColumn: column)
    backward.pack(from, stride: K, rows: columns.count, columns: K, firstRow: column)
  }

  /// Bytes that both orders take.
  static func bytes(inputs: Int, outputs: Int) -> Int {
    PackedMatrix.bytes(depth: inputs, columns: outputs) + PackedMatrix.bytes(depth: outputs, columns: inputs)
  }
}
