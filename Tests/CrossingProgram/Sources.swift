import DataParallel
import ExactMath
import LSTM
import Sequences

/// Sequences of 1 to T tokens, each with the class that the sum of its tokens has.
struct LabelledTokens: SequenceSource {
  let seed: UInt64
  let globalBatch = Case.sequences
  let timesteps = Case.timesteps
  let stepsPerEpoch = 4

  func startsFresh(atStep step: Int, lane: Int) -> Bool { true }
  func targetCount(atStep step: Int) -> Int { globalBatch }

  func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    let stream = Philox(seed: seed, purpose: .dataGeneration, step: step % stepsPerEpoch)
    for (index, lane) in lanes.enumerated() {
      let length = 1 + Int(stream.words(block: 1, lane: lane)[0] % UInt32(timesteps))
      batch.lengths[index] = Int32(length)
      var sum: Int32 = 0
      for t in 0..<timesteps {
        let token = Int32(stream.words(block: 0, t: t, lane: lane)[0] % UInt32(Case.vocabulary))
        batch.tokens[t * lanes.count + index] = token
        if t < length { sum += token }
      }
      batch.targets[index] = sum % 3
    }
  }
}

/// NaN in the embeddings of a step's tokens, from the moment in which a rank reads its batch until all have finished
/// their gradient: the numbers of that step are not finite, and the parameters are as they were.
final class Fault {
  private let training: Training
  private let steps: [Int]
  /// Whether it does not come again after a rollback.
  private let isHealedByRollback: Bool
  private var healthy: [Float]?
  private var lastStep: Int?

  init(_ training: Training, steps: [Int], isHealedByRollback: Bool) {
    (self.training, self.steps, self.isHealedByRollback) = (training, steps, isHealedByRollback)
  }

  /// `step` counts from 1.
  func inject(step: Int, _ batch: SequenceBatch) {
    let replica = training.replica
    guard happens(inStep: step), lastStep != step, replica.writesParameters, !batch.tokens.isEmpty else { return }
    lastStep = step
    let (range, width) = (training.setup.shape.embeddingRange!, training.setup.shape.inputs)
    let table = replica.parameters + range.lowerBound
    healthy = Array(UnsafeBufferPointer(start: table, count: range.count))
    for token in batch.tokens { (table + Int(token) * width).update(repeating: .nan, count: width) }
  }

  private func happens(inStep step: Int) -> Bool {
    steps.contains(step) && (!isHealedByRollback || training.setbacks.rollbacks == 0)
  }

  /// Every rank calls it, after the reduction of a step.
  func heal(step: Int) {
    guard happens(inStep: step) else { return }
    restore()
    // What follows reads the parameters, on ranks that share them too.
    do { try training.world.communicator.barrier() } catch { training.world.fail(error) }
  }

  private func restore() {
    guard let healthy else { return }
    let first = training.setup.shape.embeddingRange!.lowerBound
    (training.replica.parameters + first).update(from: healthy, count: healthy.count)
    self.healthy = nil
  }
}

/// A source with faults, and with another learning rate from some step on.
struct DisturbedSource: SequenceSource {
  let base: any SequenceSource
  /// One thread alone uses it.
  nonisolated(unsafe) let fault: Fault
  /// The learning rate of all steps after so many is multiplied by 1/2; nil for none.
  let halvedAfter: Int?

  var globalBatch: Int { base.globalBatch }
  var timesteps: Int { base.timesteps }
  var stepsPerEpoch: Int { base.stepsPerEpoch }

  func startsFresh(atStep step: Int, lane: Int) -> Bool { base.startsFresh(atStep: step, lane: lane) }
  func windowSteps(atStep step: Int) -> Int { base.windowSteps(atStep: step) }
  func targetCount(atStep step: Int) -> Int { base.targetCount(atStep: step) }

  /// Asked for between the reduction and the update.
  func learningRateFactor(atStep step: Int) -> Double {
    fault.heal(step: step + 1)
    return base.learningRateFactor(atStep: step) * (halvedAfter.map { step >= $0 } == true ? 0.5 : 1)
  }

  func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    base.fill(step: step, lanes: lanes, batch: batch)
    fault.inject(step: step + 1, batch)
  }
}

/// What a run reads in a step, for whoever computes it anew.
struct Window: Encodable {
  /// Timesteps of the window.
  let length: Int
  /// Over the usual length.
  let learningRateFactor: Double
  /// Timesteps of each lane.
  let lengths: [Int32]
  /// Lanes that begin with a state of zero.
  let fresh: [Bool]
  /// [length, B].
  let tokens: [Int32]
  /// [length, B], or [B].
  let targets: [Int32]

  init(_ source: any SequenceSource, step: Int, shape: ModelShape) {
    let B = source.globalBatch
    let batch = SequenceBatch.allocate(
      timesteps: source.timesteps, lanes: B, inputs: .tokens, targets: shape.head.isPooled ? .pooled : .everyStep)
    defer { batch.deallocate() }
    source.fill(step: step, lanes: 0..<B, batch: batch)
    length = source.windowSteps(atStep: step)
    learningRateFactor = source.learningRateFactor(atStep: step)
    lengths = Array(batch.lengths)
    fresh = (0..<B).map { source.startsFresh(atStep: step, lane: $0) }
    tokens = Array(batch.tokens[..<(length * B)])
    targets = shape.head.isPooled ? Array(batch.targets) : Array(batch.targets[..<(length * B)])
  }
}
