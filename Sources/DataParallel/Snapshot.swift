import Kernels
import MPI
import Reduction
import Runs
import SafeTensors

/// A copy of all that a checkpoint holds of a training, taken between two steps: the next one can begin while rank 0
/// writes it. Every rank of rank 0's node copies what it owns, all at once: into memory that they share, as far as they
/// share the parameters. The memory is made once, and is in place before the first copy.
package final class Snapshot {
  private unowned let training: Training
  /// The parameters and one moment after the other, in the segment of the node's first rank. Nil on ranks that own
  /// nothing which rank 0 has not.
  private let shared: NodeMemory?
  /// The states of all lanes, on rank 0.
  private let states: FloatBuffer
  private let lanes: Segments

  /// Memory for a training's state. Collective over ranks that share.
  init(of training: Training) throws {
    self.training = training
    let (setup, model, plan) = (training.setup, training.replica.model, training.replica.plan)
    let rank = training.world.communicator.rank
    let isRoot = rank == 0
    let count = (1 + setup.moments.count) * setup.shape.parameterCount
    shared =
      training.sharing.sharesWithRoot(rank: rank)
      ? try NodeMemory(byteCount: isRoot ? count * MemoryLayout<Float>.stride : 0, node: training.sharing.node) : nil
    states = FloatBuffer(count: isRoot ? setup.globalBatch * model.stateSize : 0)
    lanes = Segments(packed: (0..<plan.ranks).map { plan.lanes(ofRank: $0).count * model.stateSize })
    // Whoever writes to memory first waits for it.
    copyOwned()
  }

  /// The parameters, at index 0, or a moment.
  private func place(_ index: Int) -> UnsafeMutablePointer<Float> {
    guard let shared else { preconditionFailure("this rank is not on the node of rank 0") }
    return shared.memory(ofRank: 0).assumingMemoryBound(to: Float.self) + index * training.setup.shape.parameterCount
  }

  /// Copies the state as it is now. Every rank calls it; nothing may still use the copy before.
  package func take() throws {
    copyOwned()
    try training.world.communicator.gatherV(
      UnsafeBufferPointer(training.replica.states),
      into: UnsafeMutableBufferPointer(start: states.pointer, count: states.count), lanes, root: 0)
    try shared?.barrier()
  }

  /// What this rank owns, to where it belongs. Once there is an average the model is that, and the parameters that
  /// training goes on with are the last of the moments.
  private func copyOwned() {
    guard shared != nil else { return }
    let (optimizer, last) = (training.optimizer, training.setup.moments.count)
    let hasAverage = optimizer.averaged > 0
    for range in optimizer.ranges {
      (place(hasAverage ? last : 0) + range.lowerBound).update(
        from: training.replica.parameters + range.lowerBound, count: range.count)
    }
    for index in 0..<last {
      let place = place(hasAverage && index + 1 == last ? 0 : index + 1)
      var source = UnsafePointer(optimizer.moment(index).baseAddress!)
      for range in optimizer.ranges {
        (place + range.lowerBound).update(from: source, count: range.count)
        source += range.count
      }
    }
  }

  /// The copy on rank 0 as the files of a checkpoint. They are made from this snapshot's memory.
  package func files(trainLoss: Double?, identity: DataIdentity) -> [CheckpointFile] {
    let (setup, shape) = (training.setup, training.setup.shape)
    let momentTensors = setup.moments.enumerated().flatMap { index, name in
      ModelFile.tensors(place(index + 1), shape: shape, prefix: ModelNames.prefix(ofMoment: name))
    }
    let state = StateFile.tensors(
      hidden: UnsafeBufferPointer(start: states.pointer, count: states.count), lanes: setup.globalBatch, shape: shape,
      trainLoss: trainLoss, identity: identity, setbacks: training.setbacks, averaged: training.optimizer.averaged,
      evaluations: training.evaluations)
    return [
      CheckpointFile(name: RunNames.model, tensors: ModelFile.tensors(place(0), shape: shape)),
      CheckpointFile(name: RunNames.optimizer, tensors: momentTensors),
      CheckpointFile(name: RunNames.state, tensors: state),
    ]
  }
}
