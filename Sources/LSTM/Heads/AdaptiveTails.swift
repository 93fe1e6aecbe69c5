import Kernels
import Plan

/// The tails of an adaptive softmax, and which rows ask them. With y the rows of the output layer's input, and of tail
/// j the rows whose target is among its classes:
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
/// Memory for N rows: N·(Hp + 2·max dp + max Cp) floats, because each row asks one tail at most; P and W packed twice.
final class AdaptiveTails {
  /// Sizes.
  let shape: AdaptiveShape
  /// For each row the class that the head should say: of its own, or that of a tail; negative where there is none.
  let headTargets: UnsafeMutableBufferPointer<Int32>

  private let tails: [Tail]
  private let product: WeightGradient
  private let inputStride: Int
  /// The rows that ask a tail, tail after tail in chain order, and which of its classes they should get.
  private let members: UnsafeMutableBufferPointer<Int32>
  private let memberTargets: UnsafeMutableBufferPointer<Int32>
  /// For each row the tail that it asks and its place among the members; negative for none.
  private let asked: UnsafeMutableBufferPointer<(tail: Int32, member: Int32)>
  /// Rows of y, [members, Hp]; on the way back their gradients.
  private let gathered: FloatBuffer
  private let projected: FloatBuffer
  private let projectedGradient: FloatBuffer
  private let logits: FloatBuffer
  private let zeros: FloatBuffer
  /// Log-probabilities of all classes of one row.
  private let whole: FloatBuffer
  private let headRow: FloatBuffer

  /// One tail, and where its rows stand at the moment.
  private final class Tail {
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

  /// Tails of a layer over the rows of these passes, all of which may ask one of them.
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
    asked = .allocate(capacity: rowCount)
    asked.initialize(repeating: (-1, -1))
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
    asked.deallocate()
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

  /// Which rows ask which tail, and what the head should say of each.
  func assign(_ targets: UnsafeBufferPointer<Int32>, rows: ShardedRows) {
    _ = headTargets.update(fromContentsOf: targets)
    asked.update(repeating: (-1, -1))
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
            asked[row] = (Int32(index), Int32(member))
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

  /// Shards of the pass.
  private var shards = 0

  private func count(_ tail: Tail) -> Int { tail.shardStart[shards] }

  /// (A3) and (A4) of the rows that ask a tail. y [N, Hp].
  func forward(y: UnsafePointer<Float>, between: () throws -> Void) rethrows {
    for tail in tails {
      for member in tail.firstMember..<tail.firstMember + count(tail) {
        (gathered.pointer + member * inputStride).update(
          from: y + Int(members[member]) * inputStride, count: inputStride)
      }
      try forward(
        tail, rows: count(tail), y: gathered.pointer + tail.firstMember * inputStride,
        q: told(tail), logits: logits.pointer + tail.firstLogit, between: between)
    }
  }

  /// What a tail's classes are told from: q.
  private func told(_ tail: Tail) -> UnsafeMutablePointer<Float> {
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

  /// What (A2) adds to the loss of a row, whose logits become dlogits; 0 for a row that asks no tail.
  func loss(row: Int, scale: Float) -> Double {
    guard let (logits, target) = question(row) else { return 0 }
    return crossEntropy(logits: logits.baseAddress!, vocabulary: logits.count, target: target, scale: scale)
  }

  /// The loss alone; the logits are used up.
  func evaluationLoss(row: Int) -> Double {
    guard let (logits, target) = question(row) else { return 0 }
    return crossEntropyLoss(logits: logits.baseAddress!, vocabulary: logits.count, target: target)
  }

  /// The logits of a row in the tail that it asks, and which of the tail's classes it should get.
  private func question(_ row: Int) -> (logits: UnsafeMutableBufferPointer<Float>, target: Int32)? {
    let (index, member) = (Int(asked[row].tail), Int(asked[row].member))
    guard index >= 0 else { return nil }
    let tail = tails[index]
    let first = logits.pointer + (tail.firstLogit + (member - tail.firstMember) * tail.logitStride)
    return (UnsafeMutableBufferPointer(start: first, count: tail.shape.classes.count), memberTargets[member])
  }

  /// What a row asks of a tail: its logits, or dlogits after the loss, and the first class; nil for a row that asks
  /// none.
  func numbers(ofRow row: Int) -> (UnsafeMutableBufferPointer<Float>, firstClass: Int)? {
    question(row).map { ($0.logits, tails[Int(asked[row].tail)].shape.classes.lowerBound) }
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
          dZ: told(tail), zStride: inputStride, size: shape.inputs,
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

  /// (A1) and (A2) for all classes: log p(w) of one row y, whose head has said `head`. Valid until the next call; the
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
