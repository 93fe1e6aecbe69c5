/// Batches of tagged sequences, one sequence a lane and step: the hidden state is zero at the start of each, and the
/// target of each timestep is its label. Where an epoch's sequences do not divide by B, some lanes of one step are empty.
public struct TaggedBatches: SequenceSource, IndexedBatches {
  private let sequences: TaggedTokens
  private let batches: PerEpoch<[[Int]]>
  /// B, sequences in one step.
  public let globalBatch: Int
  /// T, at least the length of the longest sequence.
  public let timesteps: Int
  /// ⌈sequences / B⌉.
  public let stepsPerEpoch: Int

  /// A source that sees each sequence once an epoch, in `LengthBalancedBatches`.
  /// - Precondition: there are sequences, all of 1 to `timesteps` timesteps.
  public init(_ sequences: TaggedTokens, globalBatch: Int, timesteps: Int, shuffleSeed: UInt64?) {
    let lengths = sequences.lengths
    precondition(globalBatch >= 1 && !lengths.isEmpty, "there must be lanes and sequences")
    precondition(lengths.allSatisfy { (1...timesteps).contains($0) }, "a sequence must fit into a window")
    self.sequences = sequences
    self.globalBatch = globalBatch
    self.timesteps = timesteps
    stepsPerEpoch = (lengths.count + globalBatch - 1) / globalBatch
    batches = LengthBalancedBatches.perEpoch(lengths: lengths, globalBatch: globalBatch, shuffleSeed: shuffleSeed)
  }

  /// Always true.
  public func startsFresh(atStep step: Int, lane: Int) -> Bool { true }

  /// The timesteps of the step's sequences that have a label.
  public func targetCount(atStep step: Int) -> Int {
    indices(atStep: step).reduce(0) { $0 + sequences[$1].count { $0.label != noTarget } }
  }

  /// The indices of the step's sequences, lane by lane; fewer than B in one step of an epoch.
  public func indices(atStep step: Int) -> [Int] { batches(step / stepsPerEpoch)[step % stepsPerEpoch] }

  /// Writes the sequences of `lanes`.
  public func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
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
