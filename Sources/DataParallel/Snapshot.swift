import Checkpoints
import Kernels
import LSTM
import MPI

/// A copy, on rank 0, of all that a checkpoint holds of a training, taken between two steps: the next one can begin
/// while the copy is written. Its memory is made once, and is in place before the first copy.
final class Snapshot {
  private let training: Training
  private let parameters: FloatBuffer
  /// One moment after the other.
  private let moments: FloatBuffer
  /// The states of all lanes.
  private let states: FloatBuffer
  private let lanes: Segments

  /// Memory for a training's state; on ranks other than 0 only for what they send.
  init(of training: Training) {
    self.training = training
    let (setup, model, plan) = (training.setup, training.sharded.model, training.sharded.plan)
    let isRoot = training.world.communicator.rank == 0
    let count = isRoot ? setup.shape.parameterCount : 0
    parameters = FloatBuffer(count: count)
    moments = FloatBuffer(count: setup.moments.count * count)
    states = FloatBuffer(count: isRoot ? setup.globalBatch * model.stateSize : 0)
    lanes = Segments(packed: (0..<plan.ranks).map { plan.lanes(ofRank: $0).count * model.stateSize })
  }

  /// Copies the state as it is now. Every rank calls it; nothing may still use the copy before. Once there is an average
  /// the model is that, and the parameters that training goes on with are the last of the moments.
  func take() throws {
    let (setup, sharded, communicator) = (training.setup, training.sharded, training.world.communicator)
    let (isRoot, count) = (communicator.rank == 0, setup.shape.parameterCount)
    var places = [parameters.pointer] + setup.moments.indices.map { moments.pointer + $0 * count }
    if training.optimizer.averaged > 0 { places.swapAt(0, places.count - 1) }
    if isRoot { places[0].update(from: sharded.parameters, count: count) }
    for index in setup.moments.indices {
      try training.reducer.gatherToRoot(training.optimizer.moment(index), into: isRoot ? places[index + 1] : nil)
    }
    try communicator.gatherV(
      UnsafeBufferPointer(sharded.states),
      into: UnsafeMutableBufferPointer(start: states.pointer, count: states.count), lanes, root: 0)
  }

  /// The copy on rank 0 as the files of a checkpoint. They are made from this snapshot's memory.
  func files(trainLoss: Double?, identity: DataIdentity) -> [CheckpointFile] {
    let (setup, shape, setbacks) = (training.setup, training.setup.shape, training.setbacks)
    let momentTensors = setup.moments.enumerated().flatMap { index, name in
      ModelFile.tensors(moments.pointer + index * shape.parameterCount, shape: shape, prefix: name + ".")
    }
    let head = OutputName(shape).text
    let state = [
      TensorSource(
        name: "hidden", floats: UnsafeBufferPointer(start: states.pointer, count: states.count),
        shape: [setup.globalBatch, shape.lstm.count, 2, shape.hidden]),
      TensorSource(name: "head", shape: [head.utf8.count], values: Array(head.utf8)),
      TensorSource(name: "learningRateFactor", shape: [], values: [setbacks.learningRateFactor]),
      TensorSource(name: "setbacks", shape: [3], values: setbacks.counts.map(Int64.init)),
      TensorSource(name: "vocabulary", shape: [identity.vocabulary.count], values: identity.vocabulary),
      TensorSource(
        name: "tokensSHA256", shape: [identity.tokensSHA256.utf8.count], values: Array(identity.tokensSHA256.utf8)),
    ]
    let loss = trainLoss.map { [TensorSource(name: "trainLoss", shape: [], values: [$0])] } ?? []
    return [
      CheckpointFile(name: CheckpointFiles.model, tensors: ModelFile.tensors(parameters.pointer, shape: shape)),
      CheckpointFile(name: CheckpointFiles.optimizer, tensors: momentTensors),
      CheckpointFile(name: CheckpointFiles.state, tensors: state + loss + decisionTensors),
    ]
  }

  /// What decides about later steps, where anything does.
  private var decisionTensors: [TensorSource] {
    let (evaluations, averaged) = (training.evaluations, training.optimizer.averaged)
    let average = averaged == 0 ? [] : [TensorSource(name: "averaged", shape: [], values: [Int64(averaged)])]
    guard !evaluations.isEmpty else { return average }
    return average + [
      TensorSource(
        name: "evaluations.step", shape: [evaluations.count], values: evaluations.map { Int64($0.step) }),
      TensorSource(name: "evaluations.loss", shape: [evaluations.count], values: evaluations.map(\.loss)),
    ]
  }
}
