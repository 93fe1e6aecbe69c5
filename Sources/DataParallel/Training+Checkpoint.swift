import Kernels
import Optimization
import Runs

/// A checkpoint that all ranks load together.
package enum CheckpointSource {
  /// This rank reads it; rank 0 must.
  case file(Checkpoint)
  /// Another rank than 0 gets from rank 0 what is in it.
  case root

  /// What this rank reads.
  package var checkpoint: Checkpoint? { if case .file(let checkpoint) = self { checkpoint } else { nil } }
}

extension Training {
  /// Loads a checkpoint at any number of ranks. Every rank calls it. Returns the loss of its last step, if there was
  /// one.
  package func load(_ source: CheckpointSource) throws -> Double? {
    let shape = setup.shape
    let read = world.agree { try source.checkpoint.map(readState) }
    if let holders = sharing.node == nil ? world.communicator : sharing.holders {
      try holders.broadcast(
        UnsafeMutableBufferPointer(start: replica.parameters, count: shape.parameterCount), root: 0)
    }
    try loadMoments(source)
    let hidden = try world.communicator.broadcast(read?.hidden ?? [], root: 0)
    let size = replica.model.stateSize
    let mine = hidden[replica.lanes.lowerBound * size..<replica.lanes.upperBound * size]
    _ = replica.states.update(fromContentsOf: mine)
    optimizer.averaged = try world.communicator.broadcast(read?.averaged ?? 0, root: 0)
    if optimizer.averaged > 0 { optimizer.exchangeAverage(replica.parameters) }
    try replica.parametersChanged()
    let steps = try world.communicator.broadcast(read?.evaluations.map(\.step) ?? [], root: 0)
    let losses = try world.communicator.broadcast(read?.evaluations.map(\.loss) ?? [], root: 0)
    evaluations = zip(steps, losses).map { Evaluation(step: $0, loss: $1) }
    setbacks = Setbacks(
      counts: try world.communicator.broadcast(read?.setbacks.counts ?? [], root: 0),
      learningRateFactor: try world.communicator.broadcast(read?.setbacks.learningRateFactor ?? 1, root: 0))
    return try world.communicator.broadcast(read?.trainLoss.map { [$0] } ?? [], root: 0).first
  }

  /// Reads the model into the replica, and returns what else is read at once.
  private func readState(_ checkpoint: Checkpoint) throws -> (
    hidden: [Float], trainLoss: Double?, setbacks: Setbacks, averaged: Int, evaluations: [Evaluation]
  ) {
    try ModelFile.read(checkpoint.open(RunNames.model), into: replica.parameters, shape: setup.shape)
    let state = try StateFile(checkpoint)
    return (
      try state.hidden(lanes: setup.globalBatch, shape: setup.shape), try state.trainLoss(), try state.setbacks(),
      try state.averaged(), try state.evaluations()
    )
  }

  /// Moments one after the other: rank 0 reads a whole one, every rank keeps its own ranges.
  private func loadMoments(_ source: CheckpointSource) throws {
    let count = setup.shape.parameterCount
    for (index, name) in setup.moments.enumerated() {
      let whole = FloatBuffer(count: count)
      world.agree {
        if let checkpoint = source.checkpoint {
          try ModelFile.read(
            checkpoint.open(RunNames.optimizer), into: whole.pointer, shape: setup.shape,
            prefix: ModelNames.prefix(ofMoment: name))
        }
      }
      try broadcast(whole.pointer, count: count)
      var destination = optimizer.moment(index).baseAddress!
      for range in optimizer.ranges {
        destination.update(from: whole.pointer + range.lowerBound, count: range.count)
        destination += range.count
      }
    }
  }

  private func broadcast(_ values: UnsafeMutablePointer<Float>, count: Int) throws {
    try world.communicator.broadcast(UnsafeMutableBufferPointer(start: values, count: count), root: 0)
  }
}
