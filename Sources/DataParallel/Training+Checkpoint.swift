import Kernels
import Optimization
import Runs

extension Training {
  /// Loads a checkpoint, which rank 0 reads, at any number of ranks. Every rank calls it; `checkpoint` is used on
  /// rank 0. Returns the loss of its last step, if there was one.
  package func load(_ checkpoint: Checkpoint?) throws -> Double? {
    let shape = setup.shape
    let read = world.agree {
      try checkpoint.map { checkpoint in
        try ModelFile.read(checkpoint.open(RunNames.model), into: replica.parameters, shape: shape)
        let state = try StateFile(checkpoint)
        return (
          hidden: try state.hidden(lanes: setup.globalBatch, shape: shape), trainLoss: try state.trainLoss(),
          setbacks: try state.setbacks(), averaged: try state.averaged(), evaluations: try state.evaluations()
        )
      }
    }
    if let holders = sharing.node == nil ? world.communicator : sharing.holders {
      try holders.broadcast(
        UnsafeMutableBufferPointer(start: replica.parameters, count: shape.parameterCount), root: 0)
    }
    try loadMoments(checkpoint)
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

  /// Moments one after the other: rank 0 reads a whole one, every rank keeps its own ranges.
  private func loadMoments(_ checkpoint: Checkpoint?) throws {
    let count = setup.shape.parameterCount
    for (index, name) in setup.moments.enumerated() {
      let whole = FloatBuffer(count: count)
      world.agree {
        if let checkpoint {
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
