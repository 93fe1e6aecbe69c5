/// What can stand at a timestep of a batch.
public protocol BatchElement: Sendable, Equatable {
  /// The memory for it in a batch.
  static func memory(of batch: SequenceBatch) -> UnsafeMutableBufferPointer<Self>
  /// What stands behind the end of a sequence.
  static var padding: Self { get }
}

extension Int32: BatchElement {
  /// The batch's tokens.
  public static func memory(of batch: SequenceBatch) -> UnsafeMutableBufferPointer<Int32> { batch.tokens }
  /// Token 0.
  public static var padding: Int32 { 0 }
}

extension Float: BatchElement {
  /// The batch's numbers.
  public static func memory(of batch: SequenceBatch) -> UnsafeMutableBufferPointer<Float> { batch.numbers }
  /// 0.
  public static var padding: Float { 0 }
}

/// Batches of labelled sequences, one sequence a lane and step: the hidden state is zero at the start of each, and the
/// target is its class. Where an epoch's sequences do not divide by B, some lanes of one step are empty.
public struct LabelledBatches<Element: BatchElement>: SequenceSource {
  /// The sequences.
  public let sequences: LabelledSequences<Element>
  /// The sequences of each batch of an epoch.
  private let batches: PerEpoch<[[Int]]>
  /// B, sequences in one step.
  public let globalBatch: Int
  /// T, at least the length of the longest sequence.
  public let timesteps: Int
  /// ⌈sequences / B⌉.
  public let stepsPerEpoch: Int

  /// A source that sees each sequence once an epoch, in `LengthBalancedBatches`.
  /// - Precondition: there are sequences, all of 1 to `timesteps` timesteps.
  public init(
    _ sequences: LabelledSequences<Element>, globalBatch: Int, timesteps: Int, shuffleSeed: UInt64?
  ) {
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

  /// The sequences of the step.
  public func targetCount(atStep step: Int) -> Int { indices(atStep: step).count }

  /// The indices of the step's sequences, lane by lane; fewer than B in one step of an epoch.
  public func indices(atStep step: Int) -> [Int] { batches(step / stepsPerEpoch)[step % stepsPerEpoch] }

  /// Writes the sequences of `lanes`.
  public func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
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
