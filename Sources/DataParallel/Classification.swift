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
    let classes = model.shape.classes
    // Each sequence is one rank's: the others add +0.0, which changes no bit of a probability.
    var all = [Float](repeating: 0, count: sequences * classes)
    let loss = try evaluate(source) { window in
      let indices = source.indices(atStep: window.step)
      for lane in window.lanes where lane < indices.count {
        let row = softmax(window.logits(lane: lane))
        all.replaceSubrange(indices[lane] * classes..<(indices[lane] + 1) * classes, with: row)
      }
    }
    try all.withUnsafeMutableBufferPointer { try world.communicator.allReduce($0, .sum) }
    return (loss, (0..<sequences).map { Array(all[$0 * classes..<($0 + 1) * classes]) })
  }
}

/// p[k] = exp(logits[k] − max) / Σ_j exp(logits[j] − max), summed in ascending order.
private func softmax(_ logits: UnsafeBufferPointer<Float>) -> [Float] {
  let maximum = logits.max()!
  let exponentials = logits.map { exponential($0 - maximum) }
  let sum = exponentials.reduce(0, +)
  return exponentials.map { $0 / sum }
}
