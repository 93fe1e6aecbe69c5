import Kernels
import Randomness

/// Dropout on the connections that are not recurrent (Zaremba, Sutskever and Vinyals, "Recurrent Neural Network
/// Regularization", 2014): each number is kept with probability 1 − rate and then divided by it, so that evaluation
/// needs no scaling.
///
/// Whether a number is kept is a function of (seed, step, layer, lane, t, unit), so a mask is never stored: the
/// backward pass asks again, and every number of ranks draws the same.
public struct Dropout: Equatable, Sendable {
  /// Probability of being dropped, in [0, 1).
  public let rate: Float
  /// Names the run's random streams.
  public let seed: UInt64

  /// - Precondition: 0 ≤ `rate` < 1.
  public init(rate: Float, seed: UInt64) {
    precondition(rate >= 0 && rate < 1, "dropout rate outside [0, 1)")
    self.rate = rate
    self.seed = seed
  }

  /// to = from with dropped numbers zero and kept ones divided by 1 − rate; for activations and for their gradients
  /// alike. Both are [T, B, stride] of which `units` columns count; they may be the same memory.
  ///
  /// - Parameters:
  ///   - step: the training step.
  ///   - layer: the layer that reads the result; L for the output layer.
  ///   - firstTimestep: the first of the T timesteps within the window.
  ///   - firstLane: the first of the B lanes within the global batch.
  public func apply(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, timesteps: Int, lanes: Int, stride: Int,
    units: Int, step: Int, layer: Int, firstTimestep: Int = 0, firstLane: Int
  ) {
    let stream = Philox(seed: seed, purpose: .dropout, step: step, layer: layer)
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
}
