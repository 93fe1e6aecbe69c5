/// A generated sequence and what a model should say of it.
package struct GeneratedExample<Element: BatchElement>: Sendable, Equatable {
  /// [T, D] row-major.
  package let elements: [Element]
  /// A class at each of the T timesteps, or one for the whole sequence; empty where numbers are to be said.
  package let labels: [Int32]
  /// [K] numbers; empty where a class is to be said.
  package let values: [Float]

  /// A sequence of one class.
  package init(_ elements: [Element], label: Int32) { (self.elements, labels, values) = (elements, [label], []) }

  /// A sequence that has numbers as its target.
  package init(_ elements: [Element], values: [Float]) {
    (self.elements, labels, self.values) = (elements, [], values)
  }
}

extension GeneratedExample<Int32> {
  /// A sequence of which every next token is to be said.
  package init(next tokens: [Int32]) {
    (elements, labels, values) = (tokens.dropLast(), Array(tokens.dropFirst()), [])
  }
}

/// Batches of sequences that are generated, one a lane and step: example i of the stream is a pure function of i. The
/// first examples are held out, all others are training sequences: no i comes twice.
package struct GeneratedBatches<Element: BatchElement>: SequenceSource, IndexedBatches {
  /// Example i.
  package typealias Generator = @Sendable (_ index: Int) -> GeneratedExample<Element>

  private let example: Generator
  /// D, elements of a timestep.
  private let width: Int
  /// Targets of a sequence.
  private let targets: Int
  /// Which examples.
  private let examples: Range<Int>
  /// B, sequences in one step.
  package let globalBatch: Int
  /// T, at least the length of the longest sequence.
  package let timesteps: Int
  /// Steps that see all of the examples.
  package let stepsPerEpoch: Int

  /// The examples of a range, each once an epoch; those of an endless one never come again.
  /// - Parameters:
  ///   - targets: The targets of a sequence, the same number for each.
  package init(
    _ examples: Range<Int>, globalBatch: Int, timesteps: Int, width: Int = 1, targets: Int = 1,
    example: @escaping Generator
  ) {
    (self.examples, self.example) = (examples, example)
    (self.globalBatch, self.timesteps, self.width, self.targets) = (globalBatch, timesteps, width, targets)
    stepsPerEpoch = examples.upperBound == .max ? 1 << 48 : (examples.count + globalBatch - 1) / globalBatch
  }

  /// Always true.
  package func startsFresh(atStep step: Int, lane: Int) -> Bool { true }

  /// The targets of the step's sequences.
  package func targetCount(atStep step: Int) -> Int { places(atStep: step).count * targets }

  /// The indices of the step's sequences among those of the source, lane by lane.
  package func indices(atStep step: Int) -> [Int] { Array(places(atStep: step)) }

  private func places(atStep step: Int) -> Range<Int> {
    let first = step % stepsPerEpoch * globalBatch
    return first..<min(first + globalBatch, examples.count)
  }

  /// Writes the sequences of `lanes`.
  package func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    let memory = Element.memory(of: batch)
    precondition(memory.count == timesteps * lanes.count * width, "the batch must hold T · lanes timesteps")
    memory.update(repeating: Element.padding)
    batch.targets.update(repeating: noTarget)
    batch.values.update(repeating: .nan)
    batch.lengths.update(repeating: 0)
    let places = places(atStep: step)
    for (column, lane) in lanes.enumerated() where lane < places.count {
      let example = example(examples.lowerBound + places.lowerBound + lane)
      batch.lengths[column] = Int32(example.elements.count / width)
      for (place, element) in example.elements.enumerated() {
        memory[(place / width * lanes.count + column) * width + place % width] = element
      }
      for (t, label) in example.labels.enumerated() { batch.targets[t * lanes.count + column] = label }
      for (k, value) in example.values.enumerated() { batch.values[column * example.values.count + k] = value }
    }
  }
}
