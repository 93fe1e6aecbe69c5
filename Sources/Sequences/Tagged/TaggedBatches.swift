/// Batches of tagged sequences, one sequence a lane and step: the hidden state is zero at the start of each, and the
/// target of each timestep is its label. Where an epoch's sequences do not divide by B, some lanes of one step are empty.
package struct TaggedBatches: WholeSequenceBatches {
  private let sequences: TaggedTokens
  /// In `LengthBalancedBatches`.
  package let epochs: EpochBatches

  /// A source that sees each sequence once an epoch.
  /// - Precondition: there are sequences, all of 1 to `timesteps` timesteps.
  package init(_ sequences: TaggedTokens, globalBatch: Int, timesteps: Int, shuffleSeed: UInt64?) {
    self.sequences = sequences
    epochs = EpochBatches(
      lengths: sequences.lengths, globalBatch: globalBatch, timesteps: timesteps, shuffleSeed: shuffleSeed)
  }

  /// The timesteps of the step's sequences that have a label.
  package func targetCount(atStep step: Int) -> Int {
    indices(atStep: step).reduce(0) { $0 + sequences[$1].count { $0.label != noTarget } }
  }

  /// Writes the sequences of `lanes`.
  package func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    checkFill(step: step, lanes: lanes, batch)
    batch.tokens.update(repeating: Int32.padding)
    batch.targets.update(repeating: noTarget)
    batch.lengths.update(repeating: 0)
    let chosen = indices(atStep: step)
    for (column, lane) in lanes.enumerated() where lane < chosen.count {
      let sequence = sequences[chosen[lane]]
      batch.lengths[column] = Int32(sequence.count)
      for (t, timestep) in sequence.enumerated() {
        batch.tokens[t * lanes.count + column] = timestep.token
        batch.targets[t * lanes.count + column] = timestep.label
      }
    }
  }
}
