import MPI
import Problems
import Runs
import SafeTensors
import Sequences

/// Names of the files and tensors of a dump.
enum DumpFiles {
  static let model = CheckpointFiles.model
  static let batch = "batch.safetensors"
}

extension Training {
  /// Collects on rank 0 all that the step of a finding began with, and writes it there: parameters, sequences, states.
  /// Every rank calls it before anything has changed since the step. Where the rank of the finding has parameters of
  /// its own kind, the dump holds these, and of the sequences only that rank's.
  /// - Returns: on rank 0 where the dump stands, nil where there are `limit` of them.
  package func writeDump(
    _ finding: NonFiniteFinding, source: any SequenceSource, manifest: Manifest, to directory: RunDirectory, limit: Int
  ) throws -> Result<String?, Problem> {
    guard limit > 0 else { return .success(nil) }
    let step = finding.step - 1
    let isBlamed = world.communicator.rank == finding.rank
    let mine = UnsafeBufferPointer(start: replica.parameters, count: isBlamed ? setup.shape.parameterCount : 0)
    let parameters = try world.communicator.gather(Array(mine), root: 0)?[finding.rank]
    let tensors = try batchTensors(
      source, step: step,
      lanes: finding.differingParameter == nil ? 0..<setup.globalBatch : replica.plan.lanes(ofRank: finding.rank))
    guard let parameters else { return .success(nil) }
    let scalars = [
      TensorSource(
        name: "dropout", shape: [3], values: [setup.dropout, setup.weightDropout, setup.embeddingDropout]),
      TensorSource(name: "penalty", shape: [2], values: [setup.penalty.activation, setup.penalty.temporal]),
      text("dropoutMask", setup.dropoutMask.rawValue),
      TensorSource(name: "segment", shape: [], values: [Int64(setup.segment)]),
      TensorSource(name: "targetCount", shape: [], values: [Int64(source.targetCount(atStep: step))]),
      TensorSource(name: "ranks", shape: [2], values: [finding.rank, world.communicator.size].map { Int64($0) }),
      text("head", OutputName(setup.shape).text), text("finding", finding.description),
    ]
    return try parameters.withUnsafeBufferPointer { parameters in
      do {
        return .success(
          try directory.writeDump(
            manifest,
            files: [
              CheckpointFile(
                name: DumpFiles.model,
                tensors: ModelFile.tensors(parameters.baseAddress!, shape: setup.shape), refusesNonFinite: false),
              CheckpointFile(name: DumpFiles.batch, tensors: tensors + scalars, refusesNonFinite: false),
            ], limit: limit))
      } catch let error as Problem {
        return .failure(error)
      }
    }
  }

  private func text(_ name: String, _ text: String) -> TensorSource {
    TensorSource(name: name, shape: [text.utf8.count], values: Array(text.utf8))
  }

  /// On rank 0 the sequences of the step and the states before it, lane after lane; those outside of `lanes` are empty.
  private func batchTensors(_ source: any SequenceSource, step: Int, lanes: Range<Int>) throws -> [TensorSource] {
    let (B, T, D, K) = (setup.globalBatch, setup.timesteps, setup.shape.inputs, setup.shape.classes)
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
    func gathered<Element: TensorElement & Scalar>(
      _ name: String, _ shape: [Int], _ values: [Element]
    ) throws -> TensorSource {
      let all = try world.communicator.gather(values, root: 0) ?? []
      return TensorSource(name: name, shape: shape, values: Array(all.joined()))
    }
    let input =
      setup.shape.vocabulary == nil
      ? try gathered("numbers", [B, T, D], laneMajor(batch.numbers, size: D))
      : try gathered("tokens", [B, T], laneMajor(batch.tokens, size: 1))
    let isEveryStep = setup.shape.batchTargets == .everyStep
    let targets =
      batch.values.isEmpty
      ? try gathered(
        "targets", isEveryStep ? [B, T] : [B], isEveryStep ? laneMajor(batch.targets, size: 1) : Array(batch.targets))
      : setup.shape.head.isPooled
        ? try gathered("values", [B, K], Array(batch.values))
        : try gathered("values", [B, T, K], laneMajor(batch.values, size: K))
    return [
      input,
      targets,
      try gathered("lengths", [B], Array(batch.lengths)),
      try gathered("hidden", [B, setup.shape.lstm.count, 2, setup.shape.hidden], Array(replica.states)),
    ]
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
