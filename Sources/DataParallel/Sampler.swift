import ExactMath
import JobHealth
import LSTM
import Plan

/// Draws tokens one after the other from a trained language model, on one rank.
package final class Sampler {
  private let model: SequenceModel
  private let parameters: UnsafePointer<Float>
  private var draws: PhiloxSequence
  private let token: UnsafeMutableBufferPointer<Int32>
  private var hasLogits = false

  /// A sampler at rest. `parameters` must stay as they are and outlive it.
  package init(shape: ModelShape, parameters: UnsafePointer<Float>, seed: UInt64) {
    self.parameters = parameters
    model = SequenceModel(shape: shape, passes: [ShardedRows(timesteps: 1, lanes: 1)])
    model.pack(parameters)
    draws = PhiloxSequence(seed: seed, purpose: .sampling)
    token = .allocate(capacity: 1)
    token.initialize(repeating: 0)
  }

  deinit { token.deallocate() }

  /// What a sampler takes, with the parameters that it reads.
  package static func memoryNeed(of shape: ModelShape) -> MemoryNeed {
    MemoryNeed(own: (shape.parameterCount + SequenceModel.packedFloats(shape)) * MemoryLayout<Float>.stride)
  }

  /// The model forgets what it has read.
  package func reset() {
    model.clearState(lane: 0)
    hasLogits = false
  }

  /// The model reads a token.
  package func read(_ next: Int32) {
    token[0] = next
    model.forward(.tokens(UnsafeBufferPointer(token)), parameters: parameters, step: nil, between: {})
    model.carryState()
    hasLogits = true
  }

  /// Draws the token behind what has been read: softmax(logits / temperature), without the tokens of `excluded`; at
  /// temperature 0 the most likely one.
  /// - Parameter limits: which of the most likely tokens may be drawn.
  /// - Precondition: something has been read; temperature ≥ 0.
  package func draw(temperature: Double, excluding excluded: Int32?, limits: SamplingLimits = .none) -> Int32 {
    precondition(hasLogits && temperature >= 0, "nothing has been read, or the temperature is negative")
    var logits = model.logits(lane: 0, t: 0).map(Double.init)
    if let excluded, logits.count > 1 { logits[Int(excluded)] = -.infinity }
    let maximum = logits.max()!
    let best = logits.firstIndex(of: maximum) ?? 0
    if temperature == 0 { return Int32(best) }
    var weights = logits.map { Double(exponential(Float(($0 - maximum) / temperature))) }
    limits.apply(to: &weights)
    var rest = draws.uniform() * weights.reduce(0, +)
    for (index, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return Int32(index) }
    }
    // Rounding may leave a little more than all weights.
    return Int32(best)
  }
}

/// Which tokens may be drawn: of equally likely ones those with the lower number come first.
package struct SamplingLimits: Equatable, Sendable {
  /// How many of the most likely tokens count (Fan, Lewis and Dauphin, "Hierarchical neural story generation", 2018); nil for all.
  package let count: Int?
  /// Of these the fewest that have this share of their probability together (Holtzman et al., "The curious case of
  /// neural text degeneration", 2020), above 0; 1 for all.
  package let share: Double

  /// Limits of these values.
  package init(count: Int? = nil, share: Double = 1) { (self.count, self.share) = (count, share) }

  /// Every token may be drawn.
  package static let none = SamplingLimits()

  /// Sets the weights of the others to 0.
  package func apply(to weights: inout [Double]) {
    guard count != nil || share < 1 else { return }
    let order = weights.indices.sorted { (-weights[$0], $0) < (-weights[$1], $1) }
    let likely = order.prefix(count ?? order.count)
    let needed = share * likely.reduce(0) { $0 + weights[$1] }
    var (kept, sum) = (0, 0.0)
    while kept < likely.count && (kept == 0 || sum < needed) {
      sum += weights[likely[kept]]
      kept += 1
    }
    for token in order[kept...] { weights[token] = 0 }
  }
}
