import MPI
import Problems
import Runs
import Sequences

/// What became of the dump of a step.
package enum DumpOutcome: Sendable {
  case written(path: String)
  /// The run has as many as it may have.
  case limitReached
  case failed(Problem)
  /// Rank 0 writes it; this is another rank, which does not know what became of it.
  case onRoot

  /// Of the dump that was written.
  package var path: String? { if case .written(let path) = self { path } else { nil } }
}

extension Training {
  /// Collects on rank 0 all that the step of a finding began with, and writes it there: parameters, sequences, states.
  /// Every rank calls it before anything has changed since the step. Where the rank of the finding has parameters of
  /// its own kind, the dump holds these, and of the sequences only that rank's.
  /// - Returns: on rank 0 what became of it.
  package func writeDump(
    _ finding: NonFiniteFinding, source: any SequenceSource, manifest: Manifest, to directory: RunDirectory, limit: Int
  ) throws -> DumpOutcome {
    guard limit > 0 else { return .limitReached }
    let step = finding.step - 1
    let isBlamed = world.communicator.rank == finding.rank
    let mine = UnsafeBufferPointer(start: replica.parameters, count: isBlamed ? setup.shape.parameterCount : 0)
    let parameters = try world.communicator.gather(Array(mine), root: 0)?[finding.rank]
    var batch = try gatheredBatch(
      source, step: step,
      lanes: finding.differingParameter == nil ? 0..<setup.globalBatch : replica.plan.lanes(ofRank: finding.rank))
    guard let parameters else { return .onRoot }
    batch.dropout = [setup.dropout, setup.weightDropout, setup.embeddingDropout]
    batch.dropoutMask = setup.dropoutMask.rawValue
    batch.penalty = [setup.penalty.activation, setup.penalty.temporal]
    (batch.segment, batch.targetCount) = (Int64(setup.segment), Int64(source.targetCount(atStep: step)))
    batch.ranks = [finding.rank, world.communicator.size].map { Int64($0) }
    batch.finding = finding.description
    let tensors = batch.tensors(setup.shape)
    return try parameters.withUnsafeBufferPointer { parameters in
      do {
        let path = try directory.writeDump(
          manifest,
          files: [
            CheckpointFile(
              name: RunNames.model,
              tensors: ModelFile.tensors(parameters.baseAddress!, shape: setup.shape), refusesNonFinite: false),
            CheckpointFile(name: RunNames.batch, tensors: tensors, refusesNonFinite: false),
          ], limit: limit)
        return path.map { .written(path: $0) } ?? .limitReached
      } catch let error as Problem {
        return .failed(error)
      }
    }
  }

  /// On rank 0 the sequences of the step and the states before it, lane after lane; those outside of `lanes` are empty.
  private func gatheredBatch(_ source: any SequenceSource, step: Int, lanes: Range<Int>) throws -> BatchFile {
    let (T, D, K) = (setup.timesteps, setup.shape.inputs, setup.shape.classes)
    let batch = SequenceBatch.allocate(
      timesteps: T, lanes: replica.lanes.count,
      inputs: setup.shape.vocabulary == nil ? .numbers(D) : .tokens, targets: setup.shape.batchTargets)
    defer { batch.deallocate() }
    source.fill(step: step, lanes: replica.lanes, batch: batch)
    empty(batch, outside: lanes)
    func laneMajor<Element>(_ values: UnsafeMutableBufferPointer<Element>, size: Int) -> [Element] {
      (0..<batch.lanes).flatMap { lane in
        (0..<T).flatMap { t in (0..<size).map { values[(t * batch.lanes + lane) * size + $0] } }
      }
    }
    func gathered<Element: Scalar>(_ values: [Element]) throws -> [Element] {
      (try world.communicator.gather(values, root: 0) ?? []).flatMap { $0 }
    }
    var file = BatchFile(lanes: setup.globalBatch, timesteps: T)
    if setup.shape.vocabulary == nil {
      file.numbers = try gathered(laneMajor(batch.numbers, size: D))
    } else {
      file.tokens = try gathered(laneMajor(batch.tokens, size: 1))
    }
    if batch.values.isEmpty {
      let isEveryStep = setup.shape.batchTargets == .everyStep
      file.targets = try gathered(isEveryStep ? laneMajor(batch.targets, size: 1) : Array(batch.targets))
    } else {
      file.values = try gathered(
        setup.shape.head.isPooled ? Array(batch.values) : laneMajor(batch.values, size: K))
    }
    file.lengths = try gathered(Array(batch.lengths))
    file.hidden = try gathered(Array(replica.states))
    return file
  }

  /// Takes length and targets from the lanes that are not among these.
  private func empty(_ batch: SequenceBatch, outside lanes: Range<Int>) {
    let K = setup.shape.classes
    let targets = setup.shape.head.isPooled ? 1 : setup.timesteps
    for (index, lane) in replica.lanes.enumerated() where !lanes.contains(lane) {
      batch.lengths[index] = 0
      for t in 0..<targets where !batch.targets.isEmpty { batch.targets[t * batch.lanes + index] = noTarget }
      for t in 0..<targets where !batch.values.isEmpty {
        for k in 0..<K { batch.values[(t * batch.lanes + index) * K + k] = .nan }
      }
    }
  }
}
