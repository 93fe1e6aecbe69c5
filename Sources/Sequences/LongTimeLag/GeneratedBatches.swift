/// Batches of sequences that are generated, one a lane and step, each with one class: example i of the stream is a pure
/// function of i. The first examples are held out, all others are training sequences, none of which comes twice.
public struct GeneratedBatches: SequenceSource, IndexedBatches {
  /// Tokens and class of an example.
  public typealias Example = (tokens: [Int32], label: Int32)

  private let example: @Sendable (_ index: Int) -> Example
  /// The held-out examples of an evaluation; nil for training.
  private let evaluated: Range<Int>?
  private let firstIndex: Int
  /// B, sequences in one step.
  public let globalBatch: Int
  /// T, at least the length of the longest sequence.
  public let timesteps: Int

  /// Training sequences: those behind the first `heldOut` examples.
  public static func training(
    heldOut: Int, globalBatch: Int, timesteps: Int, example: @escaping @Sendable (_ index: Int) -> Example
  ) -> GeneratedBatches {
    GeneratedBatches(
      example: example, evaluated: nil, firstIndex: heldOut, globalBatch: globalBatch, timesteps: timesteps)
  }

  /// The first `heldOut` examples, each once.
  public static func evaluation(
    heldOut: Int, globalBatch: Int, timesteps: Int, example: @escaping @Sendable (_ index: Int) -> Example
  ) -> GeneratedBatches {
    GeneratedBatches(
      example: example, evaluated: 0..<heldOut, firstIndex: 0, globalBatch: globalBatch, timesteps: timesteps)
  }

  /// Steps that see all held-out examples; training never sees all that there are.
  public var stepsPerEpoch: Int { evaluated.map { ($0.count + globalBatch - 1) / globalBatch } ?? 1 << 48 }

  /// Always true.
  public func startsFresh(atStep step: Int, lane: Int) -> Bool { true }

  /// The sequences of the step.
  public func targetCount(atStep step: Int) -> Int { places(atStep: step).count }

  /// The indices of the step's sequences among those of the source, lane by lane.
  public func indices(atStep step: Int) -> [Int] { Array(places(atStep: step)) }

  private func places(atStep step: Int) -> Range<Int> {
    let first = step % stepsPerEpoch * globalBatch
    return first..<min(first + globalBatch, evaluated?.count ?? .max)
  }

  /// Writes the sequences of `lanes`.
  public func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    precondition(
      batch.tokens.count == timesteps * lanes.count && batch.targets.count == lanes.count,
      "the batch must hold T · lanes tokens and a class for each lane")
    batch.tokens.update(repeating: 0)
    batch.targets.update(repeating: noTarget)
    batch.lengths.update(repeating: 0)
    let places = places(atStep: step)
    for (column, lane) in lanes.enumerated() where lane < places.count {
      let (tokens, label) = example(firstIndex + places.lowerBound + lane)
      batch.lengths[column] = Int32(tokens.count)
      batch.targets[column] = label
      for (t, token) in tokens.enumerated() { batch.tokens[t * lanes.count + column] = token }
    }
  }
}
