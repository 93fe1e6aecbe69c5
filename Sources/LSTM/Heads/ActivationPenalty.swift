import Kernels

/// Penalties on the states a⟨t⟩ of the highest layer (Merity, Keskar and Socher, "Regularizing and Optimizing LSTM
/// Language Models", 2017), of models that say something at every timestep. Sums are over the N timesteps of the global
/// batch that have a target; m is the mask of dropout (D1), 1 without it.
///
///   (P1) AR  = α/(N·H) · Σ (m⟨t⟩⊙a⟨t⟩)²
///   (P2) TAR = β/(N·H) · Σ (a⟨t⟩ − a⟨t−1⟩)², but for the first timestep of a window
///
/// The gradient is that of cross-entropy + AR + TAR; the loss that is reported is the cross-entropy alone.
package struct ActivationPenalty: Equatable, Sendable {
  /// α, at least 0.
  package var activation: Float
  /// β, at least 0.
  package var temporal: Float

  /// Without arguments no penalty.
  package init(activation: Float = 0, temporal: Float = 0) {
    self.activation = activation
    self.temporal = temporal
  }

  /// Whether there is none.
  package var isZero: Bool { activation == 0 && temporal == 0 }
}

/// The gradients of `ActivationPenalty` over the segments of a window, from the last to the first.
///
/// Memory in floats: a number for each row, and B·(Hp + 1) of the segment behind.
final class PenalizedStates {
  private let penalty: ActivationPenalty
  private let units: Int
  /// 2/(N·H) for rows with a target, else 0; [T, B].
  private let weights: FloatBuffer
  /// a and weight of the first timestep behind the segment, [B, Hp] and [B].
  private let statesBehind: FloatBuffer
  private let weightsBehind: FloatBuffer

  init(_ penalty: ActivationPenalty, timesteps: Int, lanes: Int, units: Int) {
    self.penalty = penalty
    self.units = units
    weights = FloatBuffer(count: timesteps * lanes)
    statesBehind = FloatBuffer(count: lanes * padded(units))
    weightsBehind = FloatBuffer(count: lanes)
  }

  /// Bytes of all that `init` allocates.
  static func bytes(timesteps: Int, lanes: Int, units: Int) -> Int {
    (timesteps * lanes + lanes * (padded(units) + 1)) * MemoryLayout<Float>.stride
  }

  /// Takes note of which rows have a target; `scale` is 1/N.
  func count(_ targets: SequenceTargets, rowCount: Int, outputs: Int, scale: Float) {
    for row in 0..<rowCount {
      weights.pointer[row] = targets.has(row: row, outputs: outputs) ? 2 * scale / Float(units) : 0
    }
  }

  /// What (P1) adds to the gradient of m⊙a: d(m⊙a⟨t⟩) += 2α/(N·H)·m⊙a⟨t⟩. Both [rows, Hp].
  func addActivation(to gradient: UnsafeMutablePointer<Float>, states: UnsafePointer<Float>, rowCount: Int) {
    if penalty.activation == 0 { return }
    let stride = padded(units)
    for row in 0..<rowCount {
      let factor = penalty.activation * weights.pointer[row]
      for j in row * stride..<(row + 1) * stride { gradient[j] += factor * states[j] }
    }
  }

  /// What (P2) adds to the gradient of a, [T, B, Hp]:
  /// da⟨t⟩ += 2β/(N·H)·(a⟨t⟩ − a⟨t−1⟩), da⟨t⟩ −= 2β/(N·H)·(a⟨t+1⟩ − a⟨t⟩), each where its t, t + 1 is counted.
  func addTemporal(to da: UnsafeMutablePointer<Float>, layer: LSTMLayer, isFirst: Bool, isLast: Bool) {
    if penalty.temporal == 0 { return }
    let (T, B, stride) = (layer.timesteps, layer.lanes, layer.hiddenStride)
    for t in 0..<T {
      for lane in 0..<B {
        let (row, place) = (t * B + lane, lane * stride)
        let a = layer.hidden(t + 1) + place
        if t > 0 || !isFirst {
          add(a, minus: layer.hidden(t) + place, times: weights.pointer[row], to: da + row * stride)
        }
        if t + 1 < T {
          add(a, minus: layer.hidden(t + 2) + place, times: weights.pointer[row + B], to: da + row * stride)
        } else if !isLast {
          add(a, minus: statesBehind.pointer + place, times: weightsBehind.pointer[lane], to: da + row * stride)
        }
      }
    }
    statesBehind.pointer.update(from: layer.hidden(1), count: B * stride)
    weightsBehind.pointer.update(from: weights.pointer, count: B)
  }

  /// da += β·weight·(a − other), [Hp] each.
  private func add(
    _ a: UnsafePointer<Float>, minus other: UnsafePointer<Float>, times weight: Float,
    to da: UnsafeMutablePointer<Float>
  ) {
    let factor = penalty.temporal * weight
    for j in 0..<padded(units) { da[j] += factor * (a[j] - other[j]) }
  }
}
