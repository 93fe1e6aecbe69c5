import Kernels
import Plan

/// The products of the head over N rows: T·B of them for a head at every timestep, B for a pooled one.
///
///   forward   logits = y·Wy + by
///   backward  dWy = Σ yᵀ·dlogits, dby = Σ dlogits, dy = dlogits·Wyᵀ
///
/// With an adaptive softmax Wy is that of its head. With tied weights Wyᵀ is the embedding E [V, H], or its first rows
/// and, for the tails, some of its own.
///
/// Memory: N·Kp floats for the logits, which become their gradient in place; 2·H·Kp for Wy and Wyᵀ packed.
package final class OutputLayer {
  /// H, inputs.
  package let inputs: Int
  /// K, columns of Wy: V for a language model without tails.
  package let classes: Int
  /// J, classes of the head that stand for tails.
  private let tailCount: Int
  /// V with tied weights, else nil: numbers are E [V, H], weights of tails [J, H], by [K].
  private let sharedRows: Int?
  private var rowCount: Int
  private let inputStride: Int
  private let logitStride: Int
  private let weights: PackedWeights
  private let bias: FloatBuffer
  private let zeros: FloatBuffer
  private let logitRows: FloatBuffer

  /// A layer over the rows of the largest of some passes. Behind the last logit of a row stands `padding`. Ranks that
  /// share the arena share the packed weights.
  init(_ shape: ModelShape, passes: [ShardedRows], padding: Float, weights arena: FloatArena?) {
    sharedRows = shape.isTied ? shape.classes : nil
    inputs = shape.outputs
    classes = shape.outputClasses
    tailCount = shape.adaptive?.tails.count ?? 0
    rowCount = passes.map(\.order.count).max()!
    inputStride = padded(inputs)
    logitStride = padded(classes)
    weights = PackedWeights(inputs: inputs, outputs: classes, in: arena)
    bias = FloatBuffer(count: logitStride)
    (bias.pointer + classes).update(repeating: padding, count: logitStride - classes)
    zeros = FloatBuffer(count: inputStride)
    logitRows = FloatBuffer(count: rowCount * logitStride)
  }

  /// The next pass has `rowCount` rows, at most those of `init`.
  func use(rowCount: Int) { self.rowCount = rowCount }

  /// Numbers in Wy and by: [H + 1, K].
  package static func parameterCount(inputs: Int, classes: Int) -> Int { (inputs + 1) * classes }

  /// Bytes that the layer takes beside its parameters and their gradient.
  static func bytes(inputs: Int, classes: Int, rowCount: Int) -> (activations: Int, packed: Int) {
    (
      rowCount * padded(classes) * MemoryLayout<Float>.stride,
      PackedWeights.bytes(inputs: inputs, outputs: classes)
    )
  }

  /// K logits of a row after `forward`; dlogits after the loss.
  func logits(row: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: logitRows.pointer + row * logitStride, count: classes)
  }

  /// Copies Wy and, as the last row, by, [H + 1, K], into the order in which the products read them: one share of Wy,
  /// and all of by.
  func pack(_ parameters: UnsafePointer<Float>, share: Share) {
    if let sharedRows {
      weights.pack(rows: parameters, count: classes - tailCount, at: 0, share: share)
      weights.pack(
        rows: parameters + sharedRows * inputs, count: tailCount, at: classes - tailCount,
        share: share)
    } else {
      weights.pack(parameters, share: share)
    }
    bias.pointer.update(from: parameters + biasPlace, count: classes)
  }

  /// Where by stands among the layer's numbers.
  private var biasPlace: Int {
    sharedRows.map { ($0 + tailCount) * inputs } ?? inputs * classes
  }

  /// logits = y·Wy + by. y [N, Hp].
  func forward(y: UnsafePointer<Float>, between: () throws -> Void) rethrows {
    try multiply(
      rows: rowCount, x: y, xStride: inputStride, w: weights.forward, start: bias.pointer, startStride: 0,
      z: logitRows.pointer, zStride: logitStride, between: between)
  }

  /// After the loss: dy = dlogits·Wyᵀ. dy [N, Hp].
  func inputGradient(_ dy: UnsafeMutablePointer<Float>, between: () throws -> Void) rethrows {
    try multiply(
      rows: rowCount, x: logitRows.pointer, xStride: logitStride, w: weights.backward, start: zeros.pointer,
      startStride: 0, z: dy, zStride: inputStride, between: between)
  }

  /// After the loss: dWy = Σ yᵀ·dlogits and dby = Σ dlogits for each subtree of the pass, as `WeightGradient` places
  /// them.
  func weightGradient(
    y: UnsafePointer<Float>, using product: WeightGradient, gradient: UnsafeMutablePointer<Float>, subtreeStride: Int,
    piece: ChainPiece?, between: () throws -> Void
  ) rethrows {
    if let sharedRows {
      return try sharedWeightGradient(
        y: y, sharedRows: sharedRows, using: product, gradient: gradient, subtreeStride: subtreeStride, piece: piece,
        between: between)
    }
    product.begin(depth: inputs + 1)
    product.packInput(y, stride: inputStride, columns: inputs, at: 0)
    product.packOnes(at: inputs)
    try product.multiply(
      dZ: logitRows.pointer, zStride: logitStride, columns: classes, gradient: gradient, gradientStride: classes,
      subtreeStride: subtreeStride, piece: piece, between: between)
  }

  /// dE = Σ dlogitsᵀ·y, of the classes and of the tails: the same chains as those of the transpose; and dby.
  private func sharedWeightGradient(
    y: UnsafePointer<Float>, sharedRows: Int, using product: WeightGradient, gradient: UnsafeMutablePointer<Float>,
    subtreeStride: Int, piece: ChainPiece?, between: () throws -> Void
  ) rethrows {
    func multiply(_ classes: Range<Int>, at first: Int, _ between: () throws -> Void) rethrows {
      try product.multiplyRows(
        logitRows.pointer + classes.lowerBound, stride: logitStride, columns: classes.count, dZ: y,
        zStride: inputStride, size: inputs, gradient: gradient + first, subtreeStride: subtreeStride,
        piece: piece?.from(first), between: between)
    }
    let own = classes - tailCount
    try multiply(0..<own, at: 0, between)
    try multiply(own..<classes, at: sharedRows * inputs, between)
    product.begin(depth: 1)
    product.packOnes(at: 0)
    try product.multiply(
      dZ: logitRows.pointer, zStride: logitStride, columns: classes, gradient: gradient + biasPlace,
      gradientStride: classes, subtreeStride: subtreeStride, piece: piece?.from(biasPlace), between: between)
  }

  /// Classes of a shared matrix whose gradients are computed at once: columns of dlogits that are packed.
  static let classesAtOnce = 2048
}

extension WeightGradient {
  /// gradient[n, k] = Σ dlogits[row, n]·y[row, k], some columns of dlogits after the others.
  func multiplyRows(
    _ dlogits: UnsafePointer<Float>, stride: Int, columns: Int, dZ y: UnsafePointer<Float>, zStride: Int, size: Int,
    gradient: UnsafeMutablePointer<Float>, subtreeStride: Int, piece: ChainPiece?, between: () throws -> Void
  ) rethrows {
    for first in Swift.stride(from: 0, to: columns, by: OutputLayer.classesAtOnce) {
      let count = min(OutputLayer.classesAtOnce, columns - first)
      begin(depth: count)
      packInput(dlogits + first, stride: stride, columns: count, at: 0)
      try multiply(
        dZ: y, zStride: zStride, columns: size, gradient: gradient + first * size, gradientStride: size,
        subtreeStride: subtreeStride, piece: piece?.from(first * size), between: between)
    }
  }
}
