import ExactMath
import Kernels
import Sequences

extension Replica {
  /// The outputs for every sequence of a source, [sequences][K], before any softmax, and the mean loss of those that
  /// have a target: the same bits on every rank and for every number of ranks. Every rank calls it.
  /// - Precondition: the head is pooled.
  package func outputs(
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

extension Replica {
  /// The likeliest class at each timestep of every sequence of a source with its probability, and the mean loss
  /// of those that have a target: the same bits on every rank and for every number of ranks. Every rank calls it.
  /// - Precondition: the head is `everyStep`.
  package func classifyTimesteps(
    _ source: any SequenceSource & IndexedBatches, lengths: [Int]
  ) throws -> (loss: Double, said: [[(class: Int, probability: Float)]]) {
    let starts = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    // Each sequence is one rank's: the others add 0.
    var classes = [Int32](repeating: 0, count: starts[lengths.count])
    var probabilities = [Float](repeating: 0, count: starts[lengths.count])
    let loss = try evaluate(source) { window in
      let indices = source.indices(atStep: window.step)
      for lane in window.lanes where lane < indices.count {
        for t in window.timesteps.clamped(to: 0..<lengths[indices[lane]]) {
          let row = softmax(Array(window.logits(t: t, lane: lane)))
          let best = row.indices.max { row[$0] < row[$1] }!
          let place = starts[indices[lane]] + t
          (classes[place], probabilities[place]) = (Int32(best), row[best])
        }
      }
    }
    try classes.withUnsafeMutableBufferPointer { try world.communicator.allReduce($0, .sum) }
    try probabilities.withUnsafeMutableBufferPointer { try world.communicator.allReduce($0, .sum) }
    let said = lengths.indices.map { index in
      (starts[index]..<starts[index + 1]).map { (class: Int(classes[$0]), probability: probabilities[$0]) }
    }
    return (loss, said)
  }
}

/// p[k] = exp(logits[k] − max) / Σ_j exp(logits[j] − max), summed in ascending order.
package func softmax(_ logits: [Float]) -> [Float] {
  let maximum = logits.max()!
  let exponentials = logits.map { exponential($0 - maximum) }
  let sum = exponentials.reduce(0, +)
  return exponentials.map { $0 / sum }
}
