/// The border between our layout and PyTorch's: W [D + H + 1, 4H] with columns in the order of `Gate` here,
/// `weight_ih` [4H, D], `weight_hh` [4H, H] and two biases [4H] in the order (i, f, g, o) there. Nothing else in the
/// project knows PyTorch's order.
package enum PyTorchLayout {
  /// Our gates in PyTorch's order: i is the update gate, g the candidate.
  @usableFromInline static let gates: [Gate] = [.update, .forget, .candidate, .output]

  /// The rows of W that meet x, aPrev, and b.
  package enum Block: Sendable {
    /// `weight_ih`
    case input
    /// `weight_hh`
    case recurrent
    /// `bias_ih`; we have one bias, so `bias_hh` is written as zeros and added in when read.
    case bias

    @usableFromInline func rows(_ shape: LSTMShape) -> Range<Int> {
      switch self {
      case .input: 0..<shape.inputs
      case .recurrent: shape.inputs..<shape.inputs + shape.hidden
      case .bias: shape.inputs + shape.hidden..<shape.rows
      }
    }
  }

  /// PyTorch's tensor [4H, rows] from W [D + H + 1, 4H].
  @inlinable
  package static func exported<Scalar>(
    _ block: Block, of w: UnsafePointer<Scalar>, shape: LSTMShape
  ) -> [Scalar] {
    let (H, rows) = (shape.hidden, block.rows(shape))
    return Array(unsafeUninitializedCapacity: 4 * H * rows.count) { tensor, count in
      for (position, gate) in gates.enumerated() {
        transpose(
          w + (rows.lowerBound * 4 * H + gate.rawValue * H), stride: 4 * H, rows: rows.count, columns: H,
          to: tensor.baseAddress! + position * H * rows.count)
      }
      count = 4 * H * rows.count
    }
  }

  /// The same in pieces of whole rows, made one after the other in one small buffer.
  @inlinable
  package static func forEachExportedPiece<Scalar>(
    _ block: Block, of w: UnsafePointer<Scalar>, shape: LSTMShape,
    _ body: (UnsafeBufferPointer<Scalar>) throws -> Void
  ) rethrows {
    let (H, rows) = (shape.hidden, block.rows(shape))
    for gate in gates {
      try forEachTransposedPiece(
        w + (rows.lowerBound * 4 * H + gate.rawValue * H), stride: 4 * H, rows: rows.count, columns: H, body)
    }
  }

  /// Writes PyTorch's tensor [4H, rows] into W [D + H + 1, 4H].
  /// - Precondition: `tensor` holds 4H · rows numbers.
  package static func `import`<Scalar>(
    _ tensor: [Scalar], to block: Block, of w: UnsafeMutablePointer<Scalar>, shape: LSTMShape
  ) {
    let (H, rows) = (shape.hidden, block.rows(shape))
    precondition(tensor.count == 4 * H * rows.count, "tensor of another shape")
    for (position, gate) in gates.enumerated() {
      for j in 0..<H {
        for (k, row) in rows.enumerated() {
          w[row * 4 * H + gate.rawValue * H + j] = tensor[(position * H + j) * rows.count + k]
        }
      }
    }
  }

  /// The one bias that stands for PyTorch's two. Where `bias_hh` is zero, as we write it, `bias_ih` keeps its bits.
  package static func mergedBias<Scalar: FloatingPoint>(_ ih: [Scalar], _ hh: [Scalar]) -> [Scalar] {
    zip(ih, hh).map { $1 == 0 ? $0 : $0 + $1 }
  }

  /// [columns, rows] from [rows, columns].
  @inlinable
  package static func transposed<Scalar>(_ m: UnsafePointer<Scalar>, rows: Int, columns: Int) -> [Scalar] {
    Array(unsafeUninitializedCapacity: rows * columns) { tensor, count in
      transpose(m, stride: columns, rows: rows, columns: columns, to: tensor.baseAddress!)
      count = rows * columns
    }
  }

  /// [columns, rows] from columns of a row-major matrix, in pieces of whole rows of about 128 Ki numbers.
  @inlinable
  package static func forEachTransposedPiece<Scalar>(
    _ m: UnsafePointer<Scalar>, stride: Int, rows: Int, columns: Int,
    _ body: (UnsafeBufferPointer<Scalar>) throws -> Void
  ) rethrows {
    let most = max(16, (1 << 17) / max(1, rows) / 16 * 16)
    let piece = UnsafeMutableBufferPointer<Scalar>.allocate(capacity: min(most, columns) * rows)
    defer { piece.deallocate() }
    for first in Swift.stride(from: 0, to: columns, by: most) {
      let count = min(most, columns - first)
      transpose(m + first, stride: stride, rows: rows, columns: count, to: piece.baseAddress!)
      try body(UnsafeBufferPointer(rebasing: piece[..<(count * rows)]))
    }
  }

  /// Tiles of 16 by 16 numbers, each by way of a small copy: a line of source or destination is touched once, so it
  /// does no harm that with a stride of a power of two they all want the same place in the cache.
  @inlinable
  static func transpose<Scalar>(
    _ source: UnsafePointer<Scalar>, stride: Int, rows: Int, columns: Int, to tensor: UnsafeMutablePointer<Scalar>
  ) {
    let tile = UnsafeMutablePointer<Scalar>.allocate(capacity: 16 * 16)
    defer { tile.deallocate() }
    for left in Swift.stride(from: 0, to: columns, by: 16) {
      let width = min(16, columns - left)
      for top in Swift.stride(from: 0, to: rows, by: 16) {
        let height = min(16, rows - top)
        for row in 0..<height {
          (tile + row * 16).initialize(from: source + ((top + row) * stride + left), count: width)
        }
        for column in 0..<width {
          let line = tensor + ((left + column) * rows + top)
          for row in 0..<height { (line + row).initialize(to: tile[row * 16 + column]) }
        }
      }
    }
  }
}
