import DataParallel
import JobHealth
import MPI
import Problems
import Runs
import Sequences

/// Computes recorded steps of a run again, and compares what comes out with what was recorded: a hash of each tensor at
/// every record, on every rank, and at the end all that the last checkpoint holds, byte for byte.
package final class Repetition {
  /// What differs.
  package enum Finding: Equatable, Sendable {
    /// Loss or gradient of a step are not finite, and were when it was recorded.
    case diverged(step: Int)
    /// Loss and gradient of a step are finite, though it is recorded as skipped for not being so.
    case finite(step: Int)
    /// At the first record that differs: its step and the ranks that trained then, and which tensor's hash is another
    /// on which ranks now.
    case record(step: Int, recordedRanks: Int, comparison: RankComparison<UInt64>)
    /// Every record was met, but not the last checkpoint.
    case checkpoint([TensorDifference])
  }

  private let world: World
  private let training: Training
  private let source: any SequenceSource
  private let validation: (any SequenceSource)?
  private let tensors: ParameterTensors

  /// A repetition by a training that has what the recorded one had, but for the number of ranks.
  package init(
    world: World, training: Training, source: any SequenceSource, validation: (any SequenceSource)? = nil
  ) {
    self.world = world
    self.training = training
    self.source = source
    self.validation = validation
    tensors = ParameterTensors(training.setup.shape)
  }

  /// Repeats the steps from a checkpoint, or without one from the first step and the parameters as they are, to another.
  /// Every rank calls it, with all arguments. `passed` is told each record that was met. Nil where all is the same;
  /// otherwise what differs first, on rank 0; other ranks may get nil there.
  ///
  /// - Parameters:
  ///   - records: those after `from` up to `to`, checked by `checkRecords`.
  ///   - setbacks: of the steps after `from` (or, from the start of the run, after it) up to `to`.
  package func run(
    from: Checkpoint?, to: Checkpoint, records: [ParameterRecord], setbacks: [SetbackRecord], identity: DataIdentity,
    passed: (ParameterRecord) -> Void
  ) throws -> Finding? {
    var trainLoss = try from.flatMap { try training.load(.file($0)) }
    let firstStep = from?.manifest.step ?? 0
    var rest = records[...]
    if from == nil { rollBack(setbacks, step: 0) }
    let evaluatedSteps = try evaluatedSteps(to)
    // Where the checkpoint does not know it yet.
    if evaluatedSteps.contains(firstStep), training.evaluations.last?.step != firstStep { try evaluate(firstStep) }
    for step in firstStep + 1...to.manifest.step {
      let isSkipped = setbacks.contains { $0.isSkip(of: step) }
      let result = try training.step(step - 1, source: source)
      guard result.isFinite != isSkipped else { return isSkipped ? .finite(step: step) : .diverged(step: step) }
      if isSkipped { training.countSkipped() } else { trainLoss = result.loss }
      if evaluatedSteps.contains(step) { try evaluate(step) }
      rollBack(setbacks, step: step)
      guard let record = rest.first, record.step == step else { continue }
      rest.removeFirst()
      let all = try world.communicator.allGather(tensors.hashes(training.replica.parameters))
      if let comparison = RankComparison(names: record.names, words: all, expected: record.hashes) {
        return .record(step: step, recordedRanks: record.ranks, comparison: comparison)
      }
      passed(record)
    }
    let snapshot = try training.snapshot()
    try snapshot.take()
    guard world.communicator.rank == 0 else { return nil }
    let differences = try withExtendedLifetime(snapshot) {
      try to.differences(from: snapshot.files(trainLoss: trainLoss, identity: identity))
    }
    return differences.isEmpty ? nil : .checkpoint(differences)
  }

  /// The steps at which evaluations decided how the run went on. Every rank calls it; `to` counts on rank 0.
  private func evaluatedSteps(_ to: Checkpoint) throws -> [Int] {
    let steps = world.agree {
      try world.communicator.rank == 0 ? StateFile(to).evaluations().map(\.step) : []
    }
    return try world.communicator.broadcast(steps, root: 0)
  }

  private func evaluate(_ step: Int) throws {
    guard let validation else { return }
    training.evaluated(step, loss: try training.evaluate(validation))
  }

  /// What the last rollback to a step, if there was one, changed for the steps after it.
  private func rollBack(_ setbacks: [SetbackRecord], step: Int) {
    for case .rolledBack(let record) in setbacks where record.step == step {
      training.setbacks.rollbacks = record.rollbacks
      training.setbacks.learningRateFactor = record.learningRateFactor
    }
  }

  /// Refuses records that are of other tensors, that are not complete, or that have been changed: from one checkpoint's
  /// link of the chain they must lead to the other's.
  package func checkRecords(_ records: [ParameterRecord], from: Checkpoint?, to: Checkpoint, name: String) throws {
    var chain = from?.manifest.parameterChain ?? 0
    func broken(_ step: Int, expected: UInt64, got: UInt64) -> Problem {
      Problem(
        .badData, "the chain of records is broken at step \(step)", expected: hexadecimal(expected),
        got: hexadecimal(got), at: name, hint: "a record before it is missing, or has been changed")
    }
    for record in records {
      guard record.names == tensors.names else {
        throw Problem(
          .badData, "record of other tensors at step \(record.step)",
          expected: tensors.names.joined(separator: ", "), got: record.names.joined(separator: ", "), at: name)
      }
      chain = ParameterTensors.link(after: chain, step: record.step, hashes: record.hashes)
      guard record.chain == chain else { throw broken(record.step, expected: chain, got: record.chain) }
    }
    let last = to.manifest.parameterChain
    guard last == chain else { throw broken(to.manifest.step, expected: chain, got: last) }
  }
}

extension SetbackRecord {
  fileprivate func isSkip(of step: Int) -> Bool {
    if case .skipped(let record) = self { record.step == step } else { false }
  }
}
