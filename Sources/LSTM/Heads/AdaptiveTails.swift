import Kernels
import Plan

/// The tails of an adaptive softmax. The rows of tail j are those whose target is one of its classes; y are the rows
/// that the output layer reads:
///
/// ```
/// (A1) p(w) = p_head(w)                       w < c₁
/// (A2) p(w) = p_head(c₁ + j)·p_j(w)           w of tail j, so its loss is that of head and tail added up
/// (A3) q = y·P_j                              (A4) logits_j = q·W_j, p_j = softmax(logits_j)
///
/// (A5) dW_j = Σ qᵀ·dlogits_j                  (A6) dq = dlogits_j·W_jᵀ
/// (A7) dP_j = Σ yᵀ·dq                         (A8) dy += dq·P_jᵀ
/// ```
///
/// With tied weights there is no P, so q = y and dq = dy, and W_jᵀ are rows of the embedding.
///
/// The rows of a tail change from step to step, and with the ranks. They lie one behind the other in the order of the
/// chains, so that a shard sums its own in that order whatever other shards are beside it; a shard without any is a leaf
/// of +0.0.
///
/// Memory for N rows: N·(Hp + 2·max dp + max Cp) floats, because each row has one tail at most; P and W packed twice.
final class AdaptiveTails {
  let shape: AdaptiveShape
  /// For each row the target of the head's softmax: a class of its own, or that of a tail; negative where there is none.
  let headTargets: UnsafeMutableBufferPointer<Int32>

  let tails: [Tail]
  private let product: WeightGradient
  private let inputStride: Int
  /// The rows of the tails, tail after tail in chain order, and their targets among the tail's classes.
  let members: UnsafeMutableBufferPointer<Int32>
  let memberTargets: UnsafeMutableBufferPointer<Int32>
  /// For each row its tail and its place among the members; negative for none.
  let assigned: UnsafeMutableBufferPointer<(tail: Int32, member: Int32)>
  /// Rows of y, [members, Hp]; on the way back their gradients.
  private let gathered: FloatBuffer
  private let projected: FloatBuffer
  private let projectedGradient: FloatBuffer
  let logits: FloatBuffer
  private let zeros: FloatBuffer
  /// Log-probabilities of all classes of one row.
  private let whole: FloatBuffer
  private let headRow: FloatBuffer
  /// Shards of the pass.
  var shards = 0

  /// Tails over the rows of these passes, all of which may be of one tail.
  init(_ shape: AdaptiveShape, passes: [ShardedRows], weights arena: FloatArena?) {
    self.shape = shape
    let shards = passes.map(\.shardLanes.count).max()!
    let rowCount = passes.map(\.order.count).max()!
    tails = shape.tails.map { Tail($0, inputs: shape.inputs, shards: shards, arena: arena) }
    product = WeightGradient(
      passes: passes, maximumDepth: AdaptiveTails.deepest(shape), takesSomeRows: true)
    inputStride = padded(shape.inputs)
    headTargets = .allocate(capacity: rowCount)
    headTargets.initialize(repeating: -1)
    members = .allocate(capacity: rowCount)
    members.initialize(repeating: 0)
    memberTargets = .allocate(capacity: rowCount)
    memberTargets.initialize(repeating: 0)
    assigned = .allocate(capacity: rowCount)
    assigned.initialize(repeating: (-1, -1))
    gathered = FloatBuffer(count: rowCount * inputStride)
    let (units, classes) = AdaptiveTails.widest(shape)
    projected = FloatBuffer(count: shape.isTied ? 0 : rowCount * units)
    projectedGradient = FloatBuffer(count: rowCount * units)
    logits = FloatBuffer(count: rowCount * classes)
    zeros = FloatBuffer(count: max(units, inputStride))
    whole = FloatBuffer(count: shape.classes)
    headRow = FloatBuffer(count: max(classes, padded(shape.headClasses)))
  }

  deinit {
    headTargets.deallocate()
    members.deallocate()
    memberTargets.deallocate()
    assigned.deallocate()
  }

  /// The widest rows of q and of logits, padded.
  private static func widest(_ shape: AdaptiveShape) -> (units: Int, classes: Int) {
    (shape.tails.map { padded($0.units) }.max()!, shape.tails.map { padded($0.classes.count) }.max()!)
  }

  /// Columns of the left side of a gradient's product, at most.
  private static func deepest(_ shape: AdaptiveShape) -> Int {
    shape.isTied ? OutputLayer.classesAtOnce : shape.inputs
  }

  /// Bytes beside the parameters and their gradient.
  static func bytes(_ shape: AdaptiveShape, rowCount: Int) -> (activations: Int, packed: Int) {
    let (units, classes) = widest(shape)
    let packed = shape.tails.reduce(0) {
      $0 + (shape.isTied ? 0 : PackedWeights.bytes(inputs: shape.inputs, outputs: $1.units))
        + PackedWeights.bytes(inputs: $1.units, outputs: $1.classes.count)
    }
    let scratch = WeightGradient.scratchBytes(rowCount: rowCount, maximumDepth: deepest(shape))
    // Beside floats of a row: its head's target, the tail and the place that it has, and a member with its target.
    let row = padded(shape.inputs) + (shape.isTied ? 1 : 2) * units + classes + 5
    let floats = rowCount * row + 2 * shape.classes + max(classes, padded(shape.headClasses))
    return (floats * MemoryLayout<Float>.stride + scratch, packed)
  }

  /// Copies one share of P and W of each tail from the output's parameters.
  func pack(_ parameters: UnsafePointer<Float>, share: Share) {
    for tail in tails {
      if shape.isTied {
        tail.weights.pack(
          rows: parameters + tail.shape.weights.lowerBound, count: tail.shape.classes.count, at: 0,
          share: share)
        continue
      }
      tail.projection.pack(parameters + tail.shape.projection.lowerBound, share: share)
      tail.weights.pack(parameters + tail.shape.weights.lowerBound, share: share)
    }
  }

  // MARK: Forward

  /// After `assign`: (A3) and (A4) of the rows of each tail. y [N, Hp].
  func forward(y: UnsafePointer<Float>, between: () throws -> Void) rethrows {
    for tail in tails {
      for member in tail.firstMember..<tail.firstMember + count(tail) {
        (gathered.pointer + member * inputStride).update(
          from: y + Int(members[member]) * inputStride, count: inputStride)
      }
      try forward(
        tail, rows: count(tail), y: gathered.pointer + tail.firstMember * inputStride,
        q: features(tail), logits: logits.pointer + tail.firstLogit, between: between)
    }
  }

  /// q, [members, d].
  private func features(_ tail: Tail) -> UnsafeMutablePointer<Float> {
    shape.isTied
      ? gathered.pointer + tail.firstMember * inputStride : projected.pointer + tail.firstUnit
  }

  private func forward(
    _ tail: Tail, rows: Int, y: UnsafePointer<Float>, q: UnsafeMutablePointer<Float>,
    logits: UnsafeMutablePointer<Float>, between: () throws -> Void
  ) rethrows {
    // (A3) q = y·P
    if !shape.isTied {
      try multiply(
        rows: rows, x: y, xStride: inputStride, w: tail.projection.forward, start: zeros.pointer, startStride: 0, z: q,
        zStride: tail.unitStride, between: between)
    }
    // (A4) logits = q·W
    try multiply(
      rows: rows, x: shape.isTied ? y : UnsafePointer(q), xStride: tail.unitStride, w: tail.weights.forward,
      start: tail.start.pointer, startStride: 0,
      z: logits, zStride: tail.logitStride, between: between)
  }

  /// What (A2) adds to the loss of a row, whose logits become dlogits; 0 for a row without a tail.
  func lossAndGradient(row: Int, scale: Float) -> Double {
    guard let (logits, target) = member(ofRow: row) else { return 0 }
    return crossEntropy(logits: logits.baseAddress!, vocabulary: logits.count, target: target, scale: scale)
  }

  /// The loss alone; the logits are used up.
  func loss(row: Int) -> Double {
    guard let (logits, target) = member(ofRow: row) else { return 0 }
    return crossEntropyLoss(logits: logits.baseAddress!, vocabulary: logits.count, target: target)
  }

  // MARK: Backward

  /// After the losses of all rows: (A6) dq = dlogits·Wᵀ.
  func projectGradient(between: () throws -> Void) rethrows {
    for tail in tails {
      try multiply(
        rows: count(tail), x: logits.pointer + tail.firstLogit, xStride: tail.logitStride, w: tail.weights.backward,
        start: zeros.pointer, startStride: 0, z: projectedGradient.pointer + tail.firstUnit, zStride: tail.unitStride,
        between: between)
    }
  }

  /// (A5) and (A7) for each subtree of a pass, behind the head's gradient that begins at `gradient`.
  func weightGradient(
    pass: Int, gradient: UnsafeMutablePointer<Float>, subtreeStride: Int, piece: ChainPiece?,
    between: () throws -> Void
  ) rethrows {
    for tail in tails {
      product.use(pass: pass, shardStart: UnsafeBufferPointer(tail.shardStart))
      // (A5) of tied weights, dWᵀ = Σ dlogitsᵀ·q
      if shape.isTied {
        try product.multiplyRows(
          logits.pointer + tail.firstLogit, stride: tail.logitStride,
          columns: tail.shape.classes.count,
          dZ: features(tail), zStride: inputStride, size: shape.inputs,
          gradient: gradient + tail.shape.weights.lowerBound, subtreeStride: subtreeStride,
          piece: piece?.from(tail.shape.weights.lowerBound), between: between)
        continue
      }
      // (A5) dW = Σ qᵀ·dlogits
      product.begin(depth: tail.shape.units)
      product.packInput(
        projected.pointer + tail.firstUnit, stride: tail.unitStride, columns: tail.shape.units, at: 0)
      try product.multiply(
        dZ: logits.pointer + tail.firstLogit, zStride: tail.logitStride, columns: tail.shape.classes.count,
        gradient: gradient + tail.shape.weights.lowerBound, gradientStride: tail.shape.classes.count,
        subtreeStride: subtreeStride, piece: piece?.from(tail.shape.weights.lowerBound), between: between)
      // (A7) dP = Σ yᵀ·dq
      product.begin(depth: shape.inputs)
      product.packInput(
        gathered.pointer + tail.firstMember * inputStride, stride: inputStride, columns: shape.inputs, at: 0)
      try product.multiply(
        dZ: projectedGradient.pointer + tail.firstUnit, zStride: tail.unitStride, columns: tail.shape.units,
        gradient: gradient + tail.shape.projection.lowerBound, gradientStride: tail.shape.units,
        subtreeStride: subtreeStride, piece: piece?.from(tail.shape.projection.lowerBound), between: between)
    }
  }

  /// (A8) dy += dq·Pᵀ. dy [N, Hp]. After `weightGradient`: the rows of y are used up.
  func addInputGradient(_ dy: UnsafeMutablePointer<Float>, between: () throws -> Void) rethrows {
    for tail in tails {
      let dq = projectedGradient.pointer + tail.firstUnit
      let own = gathered.pointer + tail.firstMember * inputStride
      if !shape.isTied {
        try multiply(
          rows: count(tail), x: dq, xStride: tail.unitStride,
          w: tail.projection.backward, start: zeros.pointer, startStride: 0,
          z: own, zStride: inputStride, between: between)
      }
      let gradients = shape.isTied ? dq : own
      for place in 0..<count(tail) {
        add(
          dy + Int(members[tail.firstMember + place]) * inputStride,
          gradients + place * inputStride, count: inputStride)
      }
    }
  }

  // MARK: One row

  /// (A1) and (A2) for all classes: log p(w) of one row y with the logits `head`. Valid until the next call; the
  /// rows of `forward` are used up.
  func logProbabilities(y: UnsafePointer<Float>, head: UnsafePointer<Float>) -> UnsafeBufferPointer<Float> {
    let first = shape.cutoffs[0]
    let headNorm = logarithmOfSum(head, count: shape.headClasses)
    for w in 0..<first { whole.pointer[w] = head[w] - headNorm }
    for (index, tail) in tails.enumerated() {
      forward(tail, rows: 1, y: y, q: projected.pointer, logits: logits.pointer, between: {})
      let (row, count) = (logits.pointer, tail.shape.classes.count)
      let shift = (head[first + index] - headNorm) - logarithmOfSum(row, count: count)
      for w in 0..<count { whole.pointer[tail.shape.classes.lowerBound + w] = row[w] + shift }
    }
    return UnsafeBufferPointer(start: whole.pointer, count: shape.classes)
  }

  /// ln Σ e^row, as the loss has it.
  private func logarithmOfSum(_ row: UnsafePointer<Float>, count: Int) -> Float {
    headRow.pointer.update(from: row, count: padded(count))
    return Float(Double(row[0]) + crossEntropyLoss(logits: headRow.pointer, vocabulary: count, target: 0))
  }
}
