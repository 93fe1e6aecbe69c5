import DataParallel
import MPI
import Sequences

/// A model as tasks measure it. Every rank calls the same functions in the same order and gets the same bits.
package protocol EvaluatedModel {
  /// What the sampler of a grammar reads: the flat parameters.
  var parameters: UnsafeMutablePointer<Float> { get }
  /// The mean loss over all targets of a source; `visit` sees each window of this rank.
  func evaluate(_ source: any SequenceSource, visit: (any EvaluatedLogits) -> Void) throws -> Double
  /// The outputs for every sequence, [sequences][K], before any softmax, and the mean loss.
  /// - Precondition: the model has one output a sequence.
  func outputs(
    _ source: any SequenceSource & IndexedBatches, sequences: Int
  ) throws -> (loss: Double, outputs: [[Float]])
  /// The most likely class of each timestep of every sequence with its probability, and the mean loss.
  /// - Precondition: the model says one class at every timestep.
  func classifyTimesteps(
    _ source: any SequenceSource & IndexedBatches, lengths: [Int]
  ) throws -> (loss: Double, said: [[(class: Int, probability: Float)]])
  /// The sum of a number over all ranks.
  func sum(_ count: Int) throws -> Int
}

extension EvaluatedModel {
  func evaluate(_ source: any SequenceSource) throws -> Double { try evaluate(source) { _ in } }
}

/// Logits of one window, or of a segment of it.
package protocol EvaluatedLogits {
  /// Step of the evaluated source.
  var step: Int { get }
  /// Those of the window that there are logits of, where the model has outputs at each.
  var timesteps: Range<Int> { get }
  /// The lanes of the global batch that the window is about.
  var lanes: Range<Int> { get }
  /// [K] of a lane of the global batch at timestep `t`, which is nil for a model with one output a sequence.
  func logits(t: Int?, lane: Int) -> UnsafeBufferPointer<Float>
}

extension Replica.EvaluatedWindow: EvaluatedLogits {}

/// A model whose lanes are spread over the ranks of a job.
package struct ModelOnRanks: EvaluatedModel {
  private let model: Replica
  private let world: World

  package init(_ model: Replica, _ world: World) { (self.model, self.world) = (model, world) }

  package var parameters: UnsafeMutablePointer<Float> { model.parameters }

  package func evaluate(_ source: any SequenceSource, visit: (any EvaluatedLogits) -> Void) throws -> Double {
    try model.evaluate(source) { visit($0) }
  }

  package func outputs(
    _ source: any SequenceSource & IndexedBatches, sequences: Int
  ) throws -> (loss: Double, outputs: [[Float]]) {
    try model.outputs(source, sequences: sequences)
  }

  package func classifyTimesteps(
    _ source: any SequenceSource & IndexedBatches, lengths: [Int]
  ) throws -> (loss: Double, said: [[(class: Int, probability: Float)]]) {
    try model.classifyTimesteps(source, lengths: lengths)
  }

  package func sum(_ count: Int) throws -> Int { try world.communicator.allReduce(count, .sum) }
}
