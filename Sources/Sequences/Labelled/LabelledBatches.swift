/// What can stand at a timestep of a batch.
package protocol BatchElement: Sendable, Equatable {
  /// The memory for it in a batch.
  static func memory(of batch: SequenceBatch) -> UnsafeMutableBufferPointer<Self>
  /// What stands behind the end of a sequence.
  static var padding: Self { get }
}

extension Int32: BatchElement {
  /// The batch's tokens.
  package static func memory(of batch: SequenceBatch) -> UnsafeMutableBufferPointer<Int32> { batch.tokens }
  /// Token 0.
  package static var padding: Int32 { 0 }
}

extension Float: BatchElement {
  /// The batch's numbers.
  package static func memory(of batch: SequenceBatch) -> UnsafeMutableBufferPointer<Float> { batch.numbers }
  /// 0.
  package static var padding: Float { 0 }
}

/// Batches of labelled sequences, one sequence a lane and step: the hidden state is zero at the start of each, and the
/// target is its class. Where an epoch's sequences do not divide by B, some lanes of one step are empty.
package struct LabelledBatches<Element: BatchElement>: WholeSequenceBatches {
  /// The sequences.
  package let sequences: LabelledSequences<Element>
  /// In `LengthBalancedBatches`.
  package let epochs: EpochBatches

  /// A source that sees each sequence once an epoch.
  /// - Precondition: there are sequences, all of 1 to `timesteps` timesteps.
  package init(
    _ sequences: LabelledSequences<Element>, globalBatch: Int, timesteps: Int, shuffleSeed: UInt64?
  ) {
    self.sequences = sequences
    epochs = EpochBatches(
      lengths: sequences.lengths, globalBatch: globalBatch, timesteps: timesteps, shuffleSeed: shuffleSeed)
  }

  /// The sequences of the step.
  package func targetCount(atStep step: Int) -> Int { indices(atStep: step).count }

  /// Writes the sequences of `lanes`.
  package func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    let (memory, width) = (Element.memory(of: batch), sequences.width)
    precondition(
      memory.count == timesteps * lanes.count * width && batch.targets.count == lanes.count
        && batch.lengths.count == lanes.count, "the batch must hold T · lanes timesteps and a target for each lane")
    let chosen = indices(atStep: step)
    memory.update(repeating: Element.padding)
    batch.targets.update(repeating: noTarget)
    batch.lengths.update(repeating: 0)
    for (column, lane) in lanes.enumerated() where lane < chosen.count {
      let index = chosen[lane]
      batch.lengths[column] = Int32(sequences.length(of: index))
      batch.targets[column] = sequences.labels[index]
      sequences[index].withUnsafeBufferPointer { sequence in
        for t in 0..<sequence.count / width {
          let place = memory.baseAddress! + (t * lanes.count + column) * width
          place.update(from: sequence.baseAddress! + t * width, count: width)
        }
      }
    }
  }
}
