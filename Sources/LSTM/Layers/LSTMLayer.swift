import Kernels

/// One LSTM layer in Float, over the T·B rows of a rank: the equations of `ReferenceLSTM`, with the products that do
/// not depend on the recurrence taken out of the loop over t and done at once.
///
/// Rows of x, a, c are padded to whole vectors (Dp, Hp), each gate of Z as well (4·Hp); the padding stays zero.
///
/// Memory, in floats: T·B·4Hp for the gates, which the backward pass turns into dZ in place; 2·(T + 1)·B·Hp for a and
/// c; 2·(D + H)·4Hp for W and Wᵀ packed.
package final class LSTMLayer {
  /// D and H.
  package let shape: LSTMShape
  /// T, timesteps of the window or of the segment of it that is computed.
  package private(set) var timesteps: Int
  /// B, lanes of the pass.
  package private(set) var lanes: Int
  /// Dp, floats from one row of x to the next.
  package let inputStride: Int
  /// Hp, floats from one row of a to the next.
  package let hiddenStride: Int

  private let inputWeights: PackedMatrix
  private let recurrentWeights: PackedMatrix
  private let inputWeightsTransposed: PackedMatrix
  private let recurrentWeightsTransposed: PackedMatrix
  private let bias: FloatBuffer
  private let z: FloatBuffer
  private let hiddenStates: FloatBuffer
  private let cellStates: FloatBuffer
  private let dc: FloatBuffer
  /// Of layers whose windows come in segments: dZ of the first timestep behind the segment, [B, 4Hp].
  private let dzBehind: FloatBuffer
  private let tanhC: FloatBuffer
  private let zeros: FloatBuffer
  /// Of layers that drop recurrent weights: some rows of W̃h, [16, 4H].
  private let keptWeights: FloatBuffer

  /// A layer for up to `lanes` lanes, whose initial states are zero. `pack` must come before `forward`. Ranks that
  /// share `weights` share the packed weights. With `isSegmented` the backward pass of a window can come in segments;
  /// with `dropsWeights` there is `packRecurrent`.
  package init(
    shape: LSTMShape, timesteps: Int, lanes: Int, isSegmented: Bool = false, dropsWeights: Bool = false,
    weights: FloatArena? = nil
  ) {
    self.shape = shape
    self.timesteps = timesteps
    self.lanes = lanes
    inputStride = padded(shape.inputs)
    hiddenStride = padded(shape.hidden)
    let gateColumns = 4 * hiddenStride
    inputWeights = PackedMatrix(depth: shape.inputs, columns: gateColumns, in: weights)
    recurrentWeights = PackedMatrix(depth: shape.hidden, columns: gateColumns, in: weights)
    inputWeightsTransposed = PackedMatrix(depth: gateColumns, columns: shape.inputs, in: weights)
    recurrentWeightsTransposed = PackedMatrix(depth: gateColumns, columns: shape.hidden, in: weights)
    bias = FloatBuffer(count: gateColumns)
    z = FloatBuffer(count: timesteps * lanes * gateColumns)
    hiddenStates = FloatBuffer(count: (timesteps + 1) * lanes * hiddenStride)
    cellStates = FloatBuffer(count: (timesteps + 1) * lanes * hiddenStride)
    dc = FloatBuffer(count: lanes * hiddenStride)
    dzBehind = FloatBuffer(count: isSegmented ? lanes * gateColumns : 0)
    tanhC = FloatBuffer(count: hiddenStride)
    zeros = FloatBuffer(count: max(inputStride, hiddenStride))
    keptWeights = FloatBuffer(count: dropsWeights ? vectorWidth * shape.columns : 0)
  }

  /// The next segment and pass: at most the timesteps and lanes of `init`. Its initial states are to be set.
  func use(timesteps: Int, lanes: Int) { (self.timesteps, self.lanes) = (timesteps, lanes) }

  /// Bytes that a layer takes beside its parameters and their gradient.
  package static func bytes(
    shape: LSTMShape, timesteps: Int, lanes: Int, isSegmented: Bool = false
  ) -> (activations: Int, packed: Int) {
    let (Dp, Hp) = (padded(shape.inputs), padded(shape.hidden))
    let packed = (shape.inputs + shape.hidden) * 4 * Hp + 4 * Hp * (Dp + Hp)
    let behind = isSegmented ? lanes * 4 * Hp : 0
    let activations = timesteps * lanes * 4 * Hp + 2 * (timesteps + 1) * lanes * Hp + lanes * Hp + behind
    return (activations * MemoryLayout<Float>.stride, packed * MemoryLayout<Float>.stride)
  }

  /// a⟨t⟩ of all lanes, [B, Hp]; t = 0 is the initial state, t = T the last.
  package func hidden(_ t: Int) -> UnsafeMutablePointer<Float> { hiddenStates.pointer + t * lanes * hiddenStride }

  /// c⟨t⟩ of all lanes, [B, Hp]; t = 0 is the initial state, t = T the last.
  package func cell(_ t: Int) -> UnsafeMutablePointer<Float> { cellStates.pointer + t * lanes * hiddenStride }

  /// Z of timestep t, [B, 4Hp]: the gates after the forward pass, dZ after the backward pass.
  func gates(_ t: Int) -> UnsafeMutablePointer<Float> { z.pointer + t * lanes * 4 * hiddenStride }

  /// Copies W and b, [D + H + 1, 4H] row-major, into the order in which the products read them: one share of the
  /// weights, and all of b. Once an update. Others find them after `finishStreams`.
  package func pack(_ parameters: UnsafePointer<Float>, share: Share = .whole) {
    let (D, H, Hp) = (shape.inputs, shape.hidden, hiddenStride)
    let (columns, recurrent) = (shape.columns, parameters + D * shape.columns)
    for gate in 0..<4 {
      let (from, to) = (gate * H, gate * Hp)
      pack(parameters + from, rows: D, gate: to, share, inputWeights, inputWeightsTransposed)
      pack(recurrent + from, rows: H, gate: to, share, recurrentWeights, recurrentWeightsTransposed)
      (bias.pointer + to).update(from: recurrent + H * columns + from, count: H)
    }
  }

  /// A share of one gate's columns of W, which begin at `source`, both ways.
  private func pack(
    _ source: UnsafePointer<Float>, rows: Int, gate: Int, _ share: Share, _ packed: borrowing PackedMatrix,
    _ transposed: borrowing PackedMatrix
  ) {
    // Panel after panel of the transpose: what the first copy has read is still in the cache for the second.
    let rows = share.of(rows, unit: vectorWidth)
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: vectorWidth) {
      let count = min(vectorWidth, rows.upperBound - first)
      let source = source + first * shape.columns
      packed.pack(
        source, stride: shape.columns, rows: count, columns: shape.hidden, firstRow: first, firstColumn: gate)
      transposed.packTransposed(
        source, stride: shape.columns, rows: shape.hidden, columns: count, firstRow: gate, firstColumn: first)
    }
  }

  /// Copies Wh, or (D2) W̃h of a training step, into the order of the products; W and b as for `pack`.
  func packRecurrent(
    _ parameters: UnsafePointer<Float>, share: Share, dropout: Dropout, step: Int?, layer: Int
  ) {
    let (H, columns, recurrent) = (shape.hidden, shape.columns, parameters + shape.inputs * shape.columns)
    // Whole panels of the transpose.
    let rows = share.of(H, unit: vectorWidth)
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: vectorWidth) {
      let count = min(vectorWidth, rows.upperBound - first)
      let kept = keptWeights.pointer
      if let step {
        dropout.applyToWeights(
          recurrent + first * columns, to: kept, firstRow: first, rows: count, columns: columns, step: step,
          layer: layer)
      } else {
        kept.update(from: recurrent + first * columns, count: count * columns)
      }
      for gate in 0..<4 {
        recurrentWeights.pack(
          kept + gate * H, stride: columns, rows: count, columns: H, firstRow: first, firstColumn: gate * hiddenStride)
        recurrentWeightsTransposed.packTransposed(
          kept + gate * H, stride: columns, rows: H, columns: count, firstRow: gate * hiddenStride, firstColumn: first)
      }
    }
  }

  /// Forward over the T timesteps from the state at t = 0. x [T, B, Dp]. `between` as for `backward`.
  package func forward(x: UnsafePointer<Float>, between: () throws -> Void) rethrows {
    let gateColumns = 4 * hiddenStride
    // (F1) Z = A·W + b: the rows of W that x meets, for all timesteps at once
    try multiply(
      rows: timesteps * lanes, x: x, xStride: inputStride, w: inputWeights, start: bias.pointer, startStride: 0,
      z: z.pointer, zStride: gateColumns, between: between)
    for t in 0..<timesteps {
      // (F1) Z = A·W + b: the rows of W that aPrev meets
      multiplyAdd(
        rows: lanes, x: hidden(t), xStride: hiddenStride, w: recurrentWeights, z: gates(t), zStride: gateColumns,
        backwards: t % 2 == 1)
      for lane in 0..<lanes {
        let state = lane * hiddenStride
        forwardGates(
          gates(t) + lane * gateColumns, cPrev: cell(t) + state, c: cell(t + 1) + state, a: hidden(t + 1) + state)
      }
      try between()
    }
  }

  /// (F2) to (F5) for one row.
  private func forwardGates(
    _ z: UnsafeMutablePointer<Float>, cPrev: UnsafePointer<Float>, c: UnsafeMutablePointer<Float>,
    a: UnsafeMutablePointer<Float>
  ) {
    let Hp = hiddenStride
    let (u, f, o) = (z, z + Gate.forget.rawValue * Hp, z + Gate.output.rawValue * Hp)
    let candidate = z + Gate.candidate.rawValue * Hp
    // (F2) Γu, Γf, Γo = σ(Zu, Zf, Zo)
    applySigmoid(u, count: 3 * Hp)
    // (F3) c̃ = tanh(Zc)
    applyHyperbolicTangent(candidate, count: Hp)
    // (F4) c = Γu⊙c̃ + Γf⊙cPrev
    for j in 0..<Hp { c[j] = u[j] * candidate[j] + f[j] * cPrev[j] }
    // (F5) a = Γo⊙tanh(c)
    a.update(from: c, count: Hp)
    applyHyperbolicTangent(a, count: Hp)
    for j in 0..<Hp { a[j] *= o[j] }
  }

  /// Backward through time: turns the gates into dZ. `da` [T, B, Hp] holds what reaches each a from outside the layer
  /// (for the last timestep also what comes from behind the sequence) and is used up; dcT [B, Hp] is what reaches the
  /// last c, nil for nothing. `between` is called between timesteps, and by the products behind it between blocks: the
  /// caller may do something else meanwhile, such as letting messages make progress, or abandon the pass by an error.
  ///
  /// With `continuing` the window goes on behind these timesteps, and its backward pass over the segment there was the
  /// layer's last.
  package func backward(
    da: UnsafeMutablePointer<Float>, dcT: UnsafePointer<Float>? = nil, continuing: Bool = false,
    between: () throws -> Void
  ) rethrows {
    let (gateColumns, state) = (4 * hiddenStride, lanes * hiddenStride)
    if let dcT { dc.pointer.update(from: dcT, count: state) } else if !continuing { dc.zero() }
    for t in stride(from: timesteps - 1, through: 0, by: -1) {
      if t < timesteps - 1 || continuing {
        // (B8) daPrev = dZ·Wᵀ, added to what came from the output
        multiplyAdd(
          rows: lanes, x: t < timesteps - 1 ? gates(t + 1) : dzBehind.pointer, xStride: gateColumns,
          w: recurrentWeightsTransposed, z: da + t * state, zStride: hiddenStride, backwards: t % 2 == 1)
      }
      for lane in 0..<lanes {
        let first = lane * hiddenStride
        backwardGates(
          gates(t) + lane * gateColumns, cPrev: cell(t) + first, c: cell(t + 1) + first,
          da: da + t * state + first, dc: dc.pointer + first)
      }
      try between()
    }
    if dzBehind.count > 0 { dzBehind.pointer.update(from: gates(0), count: lanes * gateColumns) }
  }

  /// (B1) to (B5) and (B9) for one row: `dc` comes in as dcNext and goes out as dcPrev.
  private func backwardGates(
    _ z: UnsafeMutablePointer<Float>, cPrev: UnsafePointer<Float>, c: UnsafePointer<Float>,
    da: UnsafePointer<Float>, dc: UnsafeMutablePointer<Float>
  ) {
    let Hp = hiddenStride
    let tanhCell = tanhC.pointer
    tanhCell.update(from: c, count: Hp)
    applyHyperbolicTangent(tanhCell, count: Hp)
    for j in stride(from: 0, to: Hp, by: vectorWidth) {
      let gate = z + j
      let (u, f) = (Vector(gate), Vector(gate + Gate.forget.rawValue * Hp))
      let (o, candidate) = (Vector(gate + Gate.output.rawValue * Hp), Vector(gate + Gate.candidate.rawValue * Hp))
      let (da, tanhC, cPrev) = (Vector(da + j), Vector(tanhCell + j), Vector(cPrev + j))
      // (B1) dc = dcNext + da⊙Γo⊙(1 − tanh²c)
      let dcNow = Vector(dc + j) + da * o * (1 - tanhC * tanhC)
      // (B2) dzO = da⊙tanh(c)⊙Γo⊙(1 − Γo)
      (da * tanhC * o * (1 - o)).store(gate + Gate.output.rawValue * Hp)
      // (B3) dzC = dc⊙Γu⊙(1 − c̃²)
      (dcNow * u * (1 - candidate * candidate)).store(gate + Gate.candidate.rawValue * Hp)
      // (B4) dzU = dc⊙c̃⊙Γu⊙(1 − Γu)
      (dcNow * candidate * u * (1 - u)).store(gate + Gate.update.rawValue * Hp)
      // (B5) dzF = dc⊙cPrev⊙Γf⊙(1 − Γf)
      (dcNow * cPrev * f * (1 - f)).store(gate + Gate.forget.rawValue * Hp)
      // (B9) dcPrev = dc⊙Γf
      (dcNow * f).store(dc + j)
    }
  }

  /// After `backward`: (B6) and (B7), summed over timesteps, lanes and shards, as `WeightGradient` places them:
  /// gradient j, [D + H + 1, 4H], begins at `gradient + j · subtreeStride`. The rows of Wh are multiplied by
  /// `recurrentScale`, term by term. The rows are computed in `runs`, each a further walk through dZ, and after each
  /// `written` gets how many numbers of a gradient are final.
  package func weightGradient(
    x: UnsafePointer<Float>, using product: WeightGradient, gradient: UnsafeMutablePointer<Float>, subtreeStride: Int,
    piece: ChainPiece? = nil, recurrentScale: Float = 1, runs: Int = 1,
    between: () throws -> Void, written: (Int) -> Void = { _ in }
  ) rethrows {
    let (D, H, Hp) = (shape.inputs, shape.hidden, hiddenStride)
    product.begin(depth: shape.rows)
    product.packInput(x, stride: inputStride, columns: D, at: 0)
    product.packInput(hidden(0), stride: Hp, columns: H, at: D, scale: recurrentScale)
    product.packOnes(at: D + H)
    for run in 0..<runs {
      let blocks = product.blocks(ofRun: run, of: runs)
      for gate in 0..<4 {
        // (B6) dW = Σ_t Aᵀ·dZ    (B7) db = Σ_t Σ_batch dZ
        try product.multiply(
          dZ: z.pointer + gate * Hp, zStride: 4 * Hp, columns: H, gradient: gradient + gate * H,
          gradientStride: shape.columns, subtreeStride: subtreeStride, piece: piece?.from(gate * H), blocks: blocks,
          between: between)
      }
      written(product.rows(below: blocks.upperBound) * shape.columns)
    }
  }

  /// After `backward`: (B8) dx = dZ·Wᵀ for all timesteps at once. dx [T, B, Dp].
  package func inputGradient(_ dx: UnsafeMutablePointer<Float>, between: () throws -> Void) rethrows {
    try multiply(
      rows: timesteps * lanes, x: z.pointer, xStride: 4 * hiddenStride, w: inputWeightsTransposed,
      start: zeros.pointer, startStride: 0, z: dx, zStride: inputStride, between: between)
  }

  /// After `backward`: the gradients of the initial states, da0 = dZ⟨1⟩·Wᵀ (B8) and dc0 (B9), [B, Hp] each.
  package func initialStateGradients(da0: UnsafeMutablePointer<Float>, dc0: UnsafeMutablePointer<Float>) {
    multiply(
      rows: lanes, x: gates(0), xStride: 4 * hiddenStride, w: recurrentWeightsTransposed, start: zeros.pointer,
      startStride: 0, z: da0, zStride: hiddenStride, between: {})
    dc0.update(from: dc.pointer, count: lanes * hiddenStride)
  }

  /// The state after the window becomes the state before the next one.
  package func carryState() {
    hidden(0).update(from: hidden(timesteps), count: lanes * hiddenStride)
    cell(0).update(from: cell(timesteps), count: lanes * hiddenStride)
  }

  /// A lane begins the next window with a state of zero.
  package func clearState(lane: Int) {
    (hidden(0) + lane * hiddenStride).update(repeating: 0, count: hiddenStride)
    (cell(0) + lane * hiddenStride).update(repeating: 0, count: hiddenStride)
  }
}
