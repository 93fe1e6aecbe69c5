import Kernels
import Plan

/// The layer above the LSTM: logits = y·Wy + by, with softmax cross-entropy, cross-entropy unit by unit or squared error
/// behind it. It runs over N
/// rows: T·B of them for a head at every timestep, B for one at the last. With an adaptive softmax it is the head, and
/// `tails` are what is behind it. With tied weights Wyᵀ is the embedding E [V, H], or its first rows and, for the tails,
/// some of its own.
///
/// Memory: N·Kp floats for the logits, which become their gradient in place; 2·H·Kp for Wy and Wyᵀ packed.
package final class OutputLayer {
  /// H, inputs.
  package let inputs: Int
  /// K, classes of the layer's own softmax: V for a language model without tails.
  package let classes: Int
  /// Nil where the layer says all classes itself.
  let tails: AdaptiveTails?
  /// V with tied weights, else nil: numbers are E [V, H], weights of tails [J, H], by [K].
  private let sharedRows: Int?
  /// Whether each logit is an answer of yes or no, so that targets are numbers from 0 to 1.
  private let isOfUnits: Bool
  private var rowCount: Int
  private let inputStride: Int
  private let logitStride: Int
  private let weights: PackedWeights
  private let bias: FloatBuffer
  private let zeros: FloatBuffer
  private let logitRows: FloatBuffer

  /// A layer over the rows of the largest of some passes. Behind the last output of a row stands `padding`: −∞ before a
  /// softmax, so that its probability is zero; 0 before a squared error. Ranks that share `weights` share the packed
  /// weights.
  init(
    inputs: Int, classes: Int, adaptive: AdaptiveShape? = nil, isTied: Bool = false, isOfUnits: Bool = false,
    passes: [ShardedRows],
    padding: Float = -.infinity,
    weights arena: FloatArena? = nil
  ) {
    sharedRows = isTied ? classes : nil
    self.isOfUnits = isOfUnits
    self.inputs = inputs
    self.classes = adaptive?.headClasses ?? classes
    rowCount = passes.map(\.order.count).max()!
    inputStride = padded(inputs)
    logitStride = padded(self.classes)
    weights = PackedWeights(inputs: inputs, outputs: self.classes, in: arena)
    tails = adaptive.map { AdaptiveTails($0, passes: passes, weights: arena) }
    bias = FloatBuffer(count: logitStride)
    (bias.pointer + self.classes).update(repeating: padding, count: logitStride - self.classes)
    zeros = FloatBuffer(count: inputStride)
    logitRows = FloatBuffer(count: rowCount * logitStride)
  }

  /// The next pass has so many rows, at most those of `init`.
  func use(rowCount: Int) { self.rowCount = rowCount }

  /// Numbers in Wy and by: [H + 1, K].
  package static func parameterCount(inputs: Int, classes: Int) -> Int { (inputs + 1) * classes }

  /// Bytes that the layer takes beside its parameters and their gradient.
  static func bytes(
    inputs: Int, classes: Int, adaptive: AdaptiveShape?, rowCount: Int
  ) -> (activations: Int, packed: Int) {
    let own = adaptive?.headClasses ?? classes
    let tails = adaptive.map { AdaptiveTails.bytes($0, rowCount: rowCount) } ?? (0, 0)
    return (
      rowCount * padded(own) * MemoryLayout<Float>.stride + tails.0,
      PackedWeights.bytes(inputs: inputs, outputs: own) + tails.1
    )
  }

  /// Logits of a row, K of them, after `forward`; what the losses leave there after them.
  func logits(row: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: logitRows.pointer + row * logitStride, count: classes)
  }

  /// Copies Wy and, as the last row, by, [H + 1, K], into the order in which the products read them:
  /// one share of Wy, and all of by; and what the tails have behind them.
  func pack(_ parameters: UnsafePointer<Float>, share: Share = .whole) {
    if let sharedRows {
      weights.pack(rows: parameters, count: classes - tailCount, at: 0, share: share)
      weights.pack(
        rows: parameters + sharedRows * inputs, count: tailCount, at: classes - tailCount,
        share: share)
    } else {
      weights.pack(parameters, share: share)
    }
    bias.pointer.update(from: parameters + biasPlace, count: classes)
    tails?.pack(parameters, share: share)
  }

  /// J.
  private var tailCount: Int { tails?.shape.tails.count ?? 0 }

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

  /// The loss of all rows, added up into one Double for each shard; the logits become dlogits,
  /// scaled by `scale` = 1 / (targets of the global batch). y as in `forward`. With `continuing` the sums go on from
  /// `shardLosses`. `between` is called now and then.
  func loss(
    y: UnsafePointer<Float>, targets: SequenceTargets, scale: Float, rows: ShardedRows, continuing: Bool = false,
    shardLosses: UnsafeMutableBufferPointer<Double>, between: () throws -> Void
  ) rethrows {
    let own = try ask(y: y, targets: targets, rows: rows, between: between)
    try forEachShardRow(rows, shardLosses, continuing, between) { row in
      loss(row: row, targets: own, scale: scale)
    }
    try tails?.projectGradient(between: between)
  }

  /// What the layer itself should say; the tails learn which rows ask them, and what these say.
  func ask(
    y: UnsafePointer<Float>, targets: SequenceTargets, rows: ShardedRows, between: () throws -> Void
  ) rethrows -> SequenceTargets {
    guard let tails, case .classes(let classes) = targets else { return targets }
    tails.assign(classes, rows: rows)
    try tails.forward(y: y, between: between)
    return .classes(UnsafeBufferPointer(rebasing: tails.headTargets[..<classes.count]))
  }

  /// The loss of one row, whose logits become dlogits.
  func loss(row: Int, targets: SequenceTargets, scale: Float) -> Double {
    let logits = logitRows.pointer + row * logitStride
    return switch targets {
    case .classes(let targets):
      crossEntropy(logits: logits, vocabulary: classes, target: targets[row], scale: scale)
        + (tails?.loss(row: row, scale: scale) ?? 0)
    case .numbers(let targets):
      isOfUnits
        ? binaryCrossEntropy(
          logits: logits, targets: targets.baseAddress! + row * classes, count: classes, scale: scale)
        : squaredError(
          predictions: logits, targets: targets.baseAddress! + row * classes, count: classes, scale: scale)
    }
  }

  /// The loss without a gradient; logits of a softmax are used up.
  func evaluationLoss(
    y: UnsafePointer<Float>, targets: SequenceTargets, rows: ShardedRows, continuing: Bool = false,
    shardLosses: UnsafeMutableBufferPointer<Double>, between: () throws -> Void
  ) rethrows {
    let own = try ask(y: y, targets: targets, rows: rows, between: between)
    switch own {
    case .classes(let targets):
      try forEachShardRow(rows, shardLosses, continuing, between) { row in
        crossEntropyLoss(logits: logitRows.pointer + row * logitStride, vocabulary: classes, target: targets[row])
          + (tails?.evaluationLoss(row: row) ?? 0)
      }
    case .numbers(let targets):
      try forEachShardRow(rows, shardLosses, continuing, between) { row in
        let (logits, targets) = (logitRows.pointer + row * logitStride, targets.baseAddress! + row * classes)
        return isOfUnits
          ? binaryCrossEntropyLoss(logits: logits, targets: targets, count: classes)
          : squaredErrorLoss(predictions: logits, targets: targets, count: classes)
      }
    }
  }

  private func forEachShardRow(
    _ rows: ShardedRows, _ sums: UnsafeMutableBufferPointer<Double>, _ continuing: Bool, _ between: () throws -> Void,
    _ loss: (Int) -> Double
  ) rethrows {
    try rows.order.withUnsafeBufferPointer { order in
      for shard in 0..<rows.shardLanes.count {
        var sum = continuing ? sums[shard] : 0
        for place in rows.shardStart[shard]..<rows.shardStart[shard + 1] {
          sum += loss(Int(order[place]))
          if place % OutputLayer.rowsAtOnce == 0 { try between() }
        }
        sums[shard] = sum
      }
    }
  }

  /// After `loss`: dy = dlogits·Wyᵀ. dy [N, Hp].
  func inputGradient(_ dy: UnsafeMutablePointer<Float>, between: () throws -> Void) rethrows {
    try multiply(
      rows: rowCount, x: logitRows.pointer, xStride: logitStride, w: weights.backward, start: zeros.pointer,
      startStride: 0, z: dy, zStride: inputStride, between: between)
    try tails?.addInputGradient(dy, between: between)
  }

  /// After `loss`: dWy = Σ yᵀ·dlogits and dby = Σ dlogits for each subtree of the pass, as `WeightGradient` places
  /// them.
  func weightGradient(
    y: UnsafePointer<Float>, using product: WeightGradient, pass: Int, gradient: UnsafeMutablePointer<Float>,
    subtreeStride: Int, piece: ChainPiece?, between: () throws -> Void
  ) rethrows {
    if let sharedRows {
      func share(_ classes: Range<Int>, at first: Int, _ between: () throws -> Void) rethrows {
        try product.multiplyRows(
          logitRows.pointer + classes.lowerBound, stride: logitStride, columns: classes.count, dZ: y,
          zStride: inputStride, size: inputs, gradient: gradient + first, subtreeStride: subtreeStride,
          piece: piece?.from(first), between: between)
      }
      // dE = Σ dlogitsᵀ·y, of the classes and of the tails: the same chains as those of the transpose.
      let own = classes - tailCount
      try share(0..<own, at: 0, between)
      try share(own..<classes, at: sharedRows * inputs, between)
      product.begin(depth: 1)
      product.packOnes(at: 0)
      try product.multiply(
        dZ: logitRows.pointer, zStride: logitStride, columns: classes, gradient: gradient + biasPlace,
        gradientStride: classes, subtreeStride: subtreeStride, piece: piece?.from(biasPlace), between: between)
    } else {
      product.begin(depth: inputs + 1)
      product.packInput(y, stride: inputStride, columns: inputs, at: 0)
      product.packOnes(at: inputs)
      try product.multiply(
        dZ: logitRows.pointer, zStride: logitStride, columns: classes, gradient: gradient,
        gradientStride: classes, subtreeStride: subtreeStride, piece: piece, between: between)
    }
    try tails?.weightGradient(
      pass: pass, gradient: gradient, subtreeStride: subtreeStride, piece: piece, between: between)
  }

  /// Classes of a shared matrix whose gradients are made at once: so many columns of dlogits are packed.
  static let classesAtOnce = 2048
  /// Rows of logits between two calls of `between` where losses are added up.
  private static let rowsAtOnce = 256
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
