import ExactMath
import Kernels
import Plan

/// What is dropped in a training step, and then not in evaluation: a number (or a weight, or a row of the embedding) is
/// kept with probability 1 − p and then divided by it, so that evaluation needs no scaling.
///
/// Whether it is kept is a function of (seed, step, layer, lane, t, unit), so a mask is never stored: the backward pass
/// draws it again, and every number of ranks draws the same.
package struct Dropout: Equatable, Sendable {
  /// How long a mask of numbers lasts.
  package enum Mask: String, CaseIterable, Sendable {
    /// (D1) Each timestep has its own, on the connections that are not recurrent (Zaremba, Sutskever and Vinyals,
    /// "Recurrent Neural Network Regularization", 2014).
    case timestep
    /// (D1) with m⟨t⟩ = m for all t of a window: variational dropout (Gal and Ghahramani, "A Theoretically Grounded
    /// Application of Dropout in Recurrent Neural Networks", 2016) on those same connections.
    case sequence
  }

  /// p of the numbers that a layer or the output layer reads, in [0, 1).
  package let rate: Float
  /// How long their masks last.
  package let mask: Mask
  /// p of the recurrent weights, in [0, 1).
  package let weightRate: Float
  /// p of the rows of the embedding, in [0, 1).
  package let embeddingRate: Float
  /// Names the run's random streams.
  package let seed: UInt64

  /// - Precondition: all rates are at least 0 and below 1.
  package init(rate: Float, mask: Mask = .timestep, weightRate: Float = 0, embeddingRate: Float = 0, seed: UInt64) {
    precondition([rate, weightRate, embeddingRate].allSatisfy { $0 >= 0 && $0 < 1 }, "dropout rate outside [0, 1)")
    self.rate = rate
    self.mask = mask
    self.weightRate = weightRate
    self.embeddingRate = embeddingRate
    self.seed = seed
  }

  // MARK: Numbers

  /// (D1) x̃⟨t⟩ = m⟨t⟩⊙x⟨t⟩, m = 0 with probability p, else 1/(1 − p); for activations and for their gradients alike. Both
  /// are [T, B, stride] of which `units` columns count; they may be the same memory.
  ///
  /// - Parameters:
  ///   - step: the training step.
  ///   - layer: the layer that reads the result; L for the output layer.
  ///   - firstTimestep: the first of the T timesteps within the window.
  ///   - firstLane: the first of the B lanes within the global batch.
  package func apply(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, timesteps: Int, lanes: Int, stride: Int,
    units: Int, step: Int, layer: Int, firstTimestep: Int = 0, firstLane: Int
  ) {
    if rate == 0 { return }
    let stream = Philox(seed: seed, purpose: .dropout, step: step, layer: layer)
    if mask == .sequence {
      return applyToSequences(
        from, to: to, timesteps: timesteps, lanes: lanes, stride: stride, units: units, stream, firstLane: firstLane)
    }
    let scale = 1 / (1 - rate)
    for t in 0..<timesteps {
      for lane in 0..<lanes {
        let row = (t * lanes + lane) * stride
        for block in 0..<(units + 3) / 4 {
          let words = stream.words(block: block, t: firstTimestep + t, lane: firstLane + lane)
          for i in 0..<min(4, units - 4 * block) {
            let place = row + 4 * block + i
            to[place] = Philox.uniform(words[i]) < rate ? 0 : from[place] * scale
          }
        }
      }
    }
  }

  /// (D1) with the mask of t = 0 for all t, sixteen units at a time.
  private func applyToSequences(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, timesteps: Int, lanes: Int, stride: Int,
    units: Int, _ stream: Philox, firstLane: Int
  ) {
    for lane in 0..<lanes {
      for first in Swift.stride(from: 0, to: units, by: vectorWidth) {
        var factors = Vector.zero
        for block in 0..<4 {
          let words = stream.words(block: first / 4 + block, lane: firstLane + lane)
          for i in 0..<4 { factors[4 * block + i] = factor(words[i], rate) }
        }
        for t in 0..<timesteps {
          let place = (t * lanes + lane) * stride + first
          (Vector(from + place) * factors).store(to + place)
        }
      }
    }
  }

  private func factor(_ word: UInt32, _ rate: Float) -> Float { Philox.uniform(word) < rate ? 0 : 1 / (1 - rate) }

  // MARK: Weights

  /// (D2) W̃h = M⊙Wh, M = 0 with probability p, else 1/(1 − p): DropConnect on recurrent weights (Merity, Keskar and
  /// Socher, "Regularizing and Optimizing LSTM Language Models", 2017), one M for all lanes and timesteps of a step.
  /// Some rows of Wh, [rows, 4H], from the one of unit `firstRow` on.
  func applyToWeights(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, firstRow: Int, rows: Int, columns: Int, step: Int,
    layer: Int
  ) {
    forEachWeight(firstRow: firstRow, rows: rows, columns: columns, step: step, layer: layer) { place, factor in
      to[place] = factor == 0 ? 0 : from[place] * factor
    }
  }

  /// (D2) dWh = M⊙dW̃h, in the gradients [H, 4H] of some subtrees, which already hold 1/(1 − p) times dW̃h: that of index
  /// j begins at `gradient + j · subtreeStride`. Zeros stay zeros where gradients are added, so it does not matter
  /// whether shards come before or after.
  func dropGradients(
    _ gradient: UnsafeMutablePointer<Float>, of subtrees: [ShardedRows.Subtree], subtreeStride: Int, rows: Int,
    columns: Int, step: Int, layer: Int
  ) {
    forEachWeight(firstRow: 0, rows: rows, columns: columns, step: step, layer: layer) { place, factor in
      if factor == 0 { for subtree in subtrees { gradient[subtree.place.index * subtreeStride + place] = 0 } }
    }
  }

  private func forEachWeight(
    firstRow: Int, rows: Int, columns: Int, step: Int, layer: Int, _ body: (_ place: Int, _ factor: Float) -> Void
  ) {
    let stream = Philox(seed: seed, purpose: .weightDropout, step: step, layer: layer)
    for row in 0..<rows {
      for block in 0..<columns / 4 {
        let words = stream.words(block: block, t: firstRow + row)
        for i in 0..<4 { body(row * columns + 4 * block + i, factor(words[i], weightRate)) }
      }
    }
  }

  // MARK: Rows of the embedding

  /// (D3) Ẽ[v, :] = m[v]·E[v, :], m = 0 with probability p, else 1/(1 − p): a token is dropped wherever it stands in the
  /// batch of a step (Gal and Ghahramani 2016). For rows of E that have been looked up, and for their gradients alike:
  /// [N, stride], row i that of `tokens[i]`.
  func applyToTokens(_ rows: UnsafeMutablePointer<Float>, tokens: UnsafeBufferPointer<Int32>, stride: Int, step: Int) {
    if embeddingRate == 0 { return }
    let stream = Philox(seed: seed, purpose: .embeddingDropout, step: step)
    for (index, token) in tokens.enumerated() {
      let factor = factor(stream.words(block: Int(token) / 4)[Int(token) % 4], embeddingRate)
      let row = rows + index * stride
      for i in 0..<stride { row[i] = factor == 0 ? 0 : row[i] * factor }
    }
  }
}
