/// Which of some sequences stand in which batch of an epoch: each in one lane of one batch. Where they do not divide by B,
/// one batch of the epoch is smaller.
package struct EpochBatches: Sendable {
  /// B, sequences in one step.
  let globalBatch: Int
  /// T, at least the length of the longest sequence.
  let timesteps: Int
  /// ⌈sequences / B⌉.
  let stepsPerEpoch: Int
  private let batches: PerEpoch<[[Int]]>

  /// `LengthBalancedBatches` of sequences of these lengths.
  /// - Precondition: there are sequences, all of 1 to `timesteps` timesteps.
  init(lengths: [Int], globalBatch: Int, timesteps: Int, shuffleSeed: UInt64?) {
    self.init(
      lengths: lengths, globalBatch: globalBatch, timesteps: timesteps,
      LengthBalancedBatches.perEpoch(lengths: lengths, globalBatch: globalBatch, shuffleSeed: shuffleSeed))
  }

  /// Those of `batches`, with the same precondition.
  init(lengths: [Int], globalBatch: Int, timesteps: Int, _ batches: PerEpoch<[[Int]]>) {
    precondition(globalBatch >= 1 && !lengths.isEmpty, "there must be lanes and sequences")
    precondition(lengths.allSatisfy { (1...timesteps).contains($0) }, "a sequence must fit into a window")
    self.globalBatch = globalBatch
    self.timesteps = timesteps
    stepsPerEpoch = (lengths.count + globalBatch - 1) / globalBatch
    self.batches = batches
  }

  /// The sequences of a step, lane by lane.
  func indices(atStep step: Int) -> [Int] { batches(step / stepsPerEpoch)[step % stepsPerEpoch] }
}

/// Batches of whole sequences, one sequence a lane and step, each once an epoch.
package protocol WholeSequenceBatches: SequenceSource, IndexedBatches {
  /// Which sequences stand where.
  var epochs: EpochBatches { get }
}

extension WholeSequenceBatches {
  /// B, sequences in one step.
  package var globalBatch: Int { epochs.globalBatch }
  /// T, at least the length of the longest sequence.
  package var timesteps: Int { epochs.timesteps }
  /// ⌈sequences / B⌉.
  package var stepsPerEpoch: Int { epochs.stepsPerEpoch }
  /// Always true.
  package func startsFresh(atStep step: Int, lane: Int) -> Bool { true }
  /// The indices of the step's sequences, lane by lane; fewer than B in one step of an epoch.
  package func indices(atStep step: Int) -> [Int] { epochs.indices(atStep: step) }
}
