import Kernels
import LSTM
import MPI
import Sequences

extension ShardedModel {
  /// The probabilities of the classes for every sequence of a source, [sequences][K], and the mean loss of those that
  /// have a target: the same bits on every rank and for every number of ranks. Every rank calls it.
  /// - Precondition: the model says one class for a whole sequence.
  public func classify(
    _ source: any SequenceSource & IndexedBatches, sequences: Int
  ) throws -> (loss: Double, probabilities: [[Float]]) {
    let (loss, logits) = try outputs(source, sequences: sequences)
    return (loss, logits.map(softmax))
  }

  /// What the model says of every sequence of a source, [sequences][K], before any softmax, and the mean loss: as
  /// above.
  /// - Precondition: the model speaks once a sequence.
  public func outputs(
    _ source: any SequenceSource & IndexedBatches, sequences: Int
  ) throws -> (loss: Double, outputs: [[Float]]) {
    let count = model.shape.classes
    // Each sequence is one rank's: the others add +0.0, which changes no other number.
    var all = [Float](repeating: 0, count: sequences * count)
    let loss = try evaluate(source) { window in
      let indices = source.indices(atStep: window.step)
      for lane in window.lanes where lane < indices.count {
        all.replaceSubrange(
          indices[lane] * count..<(indices[lane] + 1) * count, with: window.logits(lane: lane))
      }
    }
    try all.withUnsafeMutableBufferPointer { try world.communicator.allReduce($0, .sum) }
    return (loss, (0..<sequences).map { Array(all[$0 * count..<($0 + 1) * count]) })
  }
}

/// p[k] = exp(logits[k] − max) / Σ_j exp(logits[j] − max), summed in ascending order.
public func softmax(_ logits: [Float]) -> [Float] {
  let maximum = logits.max()!
  let exponentials = logits.map { exponential($0 - maximum) }
  let sum = exponentials.reduce(0, +)
  return exponentials.map { $0 / sum }
}
