import ExactMath

/// Batches of sequences of numbers, each changed a little, and anew in every epoch, so that a model sees no sequence
/// twice. The change is a function of seed, epoch and sequence: the same for any number of ranks.
///
/// * Shift: the sequence comes up to this many timesteps earlier or later, each as likely; its first or last timestep
///   fills the gap, and what moves out is lost.
/// * Noise: to each number comes another, of mean 0 and a given deviation: four uniform numbers are added up, whose sum
///   has the variance 4/12.
package struct AugmentedBatches<Base: SequenceSource & IndexedBatches>: SequenceSource, IndexedBatches {
  private let base: Base
  private let seed: UInt64
  private let noise: Float
  private let shift: Int

  /// - Parameters:
  ///   - noise: The deviation of what is added.
  ///   - shift: The most timesteps.
  package init(_ base: Base, seed: UInt64, noise: Float, shift: Int) {
    (self.base, self.seed, self.noise, self.shift) = (base, seed, noise, shift)
  }

  /// As the batches that are changed have it.
  package var globalBatch: Int { base.globalBatch }
  /// As the batches that are changed have it.
  package var timesteps: Int { base.timesteps }
  /// As the batches that are changed have it.
  package var stepsPerEpoch: Int { base.stepsPerEpoch }
  /// As the batches that are changed have it.
  package func startsFresh(atStep step: Int, lane: Int) -> Bool { base.startsFresh(atStep: step, lane: lane) }
  /// As the batches that are changed have it.
  package func targetCount(atStep step: Int) -> Int { base.targetCount(atStep: step) }
  /// As the batches that are changed have it.
  package func windowSteps(atStep step: Int) -> Int { base.windowSteps(atStep: step) }
  /// As the batches that are changed have it.
  package func learningRateFactor(atStep step: Int) -> Double { base.learningRateFactor(atStep: step) }
  /// As the batches that are changed have it.
  package func indices(atStep step: Int) -> [Int] { base.indices(atStep: step) }

  /// Writes the sequences of `lanes`, changed.
  package func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    base.fill(step: step, lanes: lanes, batch: batch)
    let (indices, epoch) = (base.indices(atStep: step), step / base.stepsPerEpoch)
    let stream = Philox(seed: seed, purpose: .augmentation, step: epoch, layer: 0)
    for (column, lane) in lanes.enumerated() where lane < indices.count {
      var draws = PhiloxSequence(seed: seed, purpose: .augmentation, step: epoch, layer: 1, lane: indices[lane])
      move(column, of: batch, by: draws.below(2 * shift + 1) - shift)
      if noise > 0 { addNoise(column, of: batch, stream, index: indices[lane]) }
    }
  }

  /// Timestep t becomes t − `steps`, or the nearest that there is.
  private func move(_ column: Int, of batch: SequenceBatch, by steps: Int) {
    let (length, width) = (Int(batch.lengths[column]), batch.numbers.count / (batch.timesteps * batch.lanes))
    guard steps != 0, length > 0 else { return }
    // Where timesteps move up the last is written first, so that none is read after it was written.
    for place in 0..<length {
      let t = steps > 0 ? length - 1 - place : place
      let from = max(0, min(length - 1, t - steps))
      for d in 0..<width {
        batch.numbers[(t * batch.lanes + column) * width + d] =
          batch.numbers[(from * batch.lanes + column) * width + d]
      }
    }
  }

  private func addNoise(_ column: Int, of batch: SequenceBatch, _ stream: Philox, index: Int) {
    let width = batch.numbers.count / (batch.timesteps * batch.lanes)
    let scale = noise * Float(3).squareRoot()
    for t in 0..<Int(batch.lengths[column]) {
      for d in 0..<width {
        let words = stream.words(block: d, t: t, lane: index)
        let sum =
          Philox.uniform(words[0]) + Philox.uniform(words[1]) + Philox.uniform(words[2]) + Philox.uniform(words[3])
        batch.numbers[(t * batch.lanes + column) * width + d] += scale * (sum - 2)
      }
    }
  }
}
