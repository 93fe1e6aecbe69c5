/// A generated sequence and what a model should say at its end.
public struct GeneratedExample<Element: BatchElement>: Sendable, Equatable {
  /// [T, D] row-major.
  public let elements: [Element]
  /// A class; `noTarget` where numbers are to be said.
  public let label: Int32
  /// [K] numbers; empty where a class is to be said.
  public let values: [Float]

  /// A sequence of one class.
  public init(_ elements: [Element], label: Int32) { (self.elements, self.label, values) = (elements, label, []) }

  /// A sequence that has numbers as its target.
  public init(_ elements: [Element], values: [Float]) {
    (self.elements, label, self.values) = (elements, noTarget, values)
  }
}

/// Batches of sequences that are generated, one a lane and step: example i of the stream is a pure function of i. The
/// first examples are held out, all others are training sequences, none of which comes twice.
public struct GeneratedBatches<Element: BatchElement>: SequenceSource, IndexedBatches {
  /// Example i.
  public typealias Generator = @Sendable (_ index: Int) -> GeneratedExample<Element>

  private let example: Generator
  /// D, elements of a timestep.
  private let width: Int
  /// The held-out examples of an evaluation; nil for training.
  private let evaluated: Int?
  private let firstIndex: Int
  /// B, sequences in one step.
  public let globalBatch: Int
  /// T, at least the length of the longest sequence.
  public let timesteps: Int

  /// Training sequences: those behind the first `heldOut` examples.
  public static func training(
    heldOut: Int, globalBatch: Int, timesteps: Int, width: Int = 1, example: @escaping Generator
  ) -> GeneratedBatches {
    GeneratedBatches(
      example: example, width: width, evaluated: nil, firstIndex: heldOut, globalBatch: globalBatch,
      timesteps: timesteps)
  }

  /// The first `heldOut` examples, each once.
  public static func evaluation(
    heldOut: Int, globalBatch: Int, timesteps: Int, width: Int = 1, example: @escaping Generator
  ) -> GeneratedBatches {
    GeneratedBatches(
      example: example, width: width, evaluated: heldOut, firstIndex: 0, globalBatch: globalBatch,
      timesteps: timesteps)
  }

  /// Steps that see all held-out examples; training never sees all that there are.
  public var stepsPerEpoch: Int { evaluated.map { ($0 + globalBatch - 1) / globalBatch } ?? 1 << 48 }

  /// Always true.
  public func startsFresh(atStep step: Int, lane: Int) -> Bool { true }

  /// The sequences of the step.
  public func targetCount(atStep step: Int) -> Int { places(atStep: step).count }

  /// The indices of the step's sequences among those of the source, lane by lane.
  public func indices(atStep step: Int) -> [Int] { Array(places(atStep: step)) }

  private func places(atStep step: Int) -> Range<Int> {
    let first = step % stepsPerEpoch * globalBatch
    return first..<min(first + globalBatch, evaluated ?? .max)
  }

  /// Writes the sequences of `lanes`.
  public func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    let memory = Element.memory(of: batch)
    precondition(memory.count == timesteps * lanes.count * width, "the batch must hold T · lanes timesteps")
    memory.update(repeating: Element.padding)
    batch.targets.update(repeating: noTarget)
    batch.values.update(repeating: .nan)
    batch.lengths.update(repeating: 0)
    let places = places(atStep: step)
    for (column, lane) in lanes.enumerated() where lane < places.count {
      let example = example(firstIndex + places.lowerBound + lane)
      batch.lengths[column] = Int32(example.elements.count / width)
      for (place, element) in example.elements.enumerated() {
        memory[(place / width * lanes.count + column) * width + place % width] = element
      }
      if example.values.isEmpty { batch.targets[column] = example.label }
      for (k, value) in example.values.enumerated() { batch.values[column * example.values.count + k] = value }
    }
  }
}
