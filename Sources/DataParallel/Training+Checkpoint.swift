import Kernels
import LSTM
import Optimization
import Problems
import Runs
import SafeTensors

/// Names of the files of a checkpoint.
package enum CheckpointFiles {
  package static let model = "model.safetensors"
  static let optimizer = "optimizer.safetensors"
  package static let state = "state.safetensors"
}

extension Training {
  /// Loads a checkpoint, which rank 0 reads, at any number of ranks. Every rank calls it; `checkpoint` is used on
  /// rank 0. Returns the loss of its last step, if there was one.
  package func load(_ checkpoint: Checkpoint?) throws -> Double? {
    let shape = setup.shape
    let read = world.agree {
      try checkpoint.map { checkpoint in
        try ModelFile.read(checkpoint.open(CheckpointFiles.model), into: replica.parameters, shape: shape)
        let state = try checkpoint.open(CheckpointFiles.state)
        return (
          hidden: try state.values(
            "hidden", as: Float.self, shape: [setup.globalBatch, shape.lstm.count, 2, shape.hidden]),
          trainLoss: state.contains("trainLoss") ? try state.values("trainLoss", as: Double.self, shape: [])[0] : nil,
          setbacks: try Setbacks(state), averaged: try averagedParameters(state),
          evaluations: try [Evaluation](state)
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
            checkpoint.open(CheckpointFiles.optimizer), into: whole.pointer, shape: setup.shape, prefix: name + ".")
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

/// How many parameters the average of a checkpoint is over, 0 where it holds none.
private func averagedParameters(_ state: TensorFile) throws -> Int {
  guard state.contains("averaged") else { return 0 }
  let averaged = try state.values("averaged", as: Int64.self, shape: [])[0]
  guard averaged > 0, averaged <= Int64(Int32.max) else {
    throw Problem(
      .badData, "average of a run is impossible", expected: "one of 1 to \(Int32.max) parameters", got: "\(averaged)",
      at: state.path)
  }
  return Int(averaged)
}

extension [Evaluation] {
  /// Those of a checkpoint's state; none where they decided about nothing.
  package init(_ state: TensorFile) throws {
    self = []
    guard state.contains("evaluations.step") else { return }
    let steps = try state.values("evaluations.step", as: Int64.self)
    let losses = try state.values("evaluations.loss", as: Double.self, shape: [steps.count])
    guard zip([0] + steps, steps).allSatisfy({ $0 < $1 }), steps.allSatisfy({ $0 <= Int64(Int32.max) }) else {
      throw Problem(
        .badData, "evaluations of a run are impossible", expected: "ascending steps", got: "\(steps)", at: state.path)
    }
    self = zip(steps, losses).map { Evaluation(step: Int($0), loss: $1) }
  }
}

extension Setbacks {
  var counts: [Int] { [skipped, skippedInARow, rollbacks] }

  fileprivate init(counts: [Int], learningRateFactor: Double) {
    self.init()
    (skipped, skippedInARow, rollbacks) = (counts[0], counts[1], counts[2])
    self.learningRateFactor = learningRateFactor
  }

  /// Those of a checkpoint's state; checkpoints from before there were any have none.
  fileprivate init(_ state: TensorFile) throws {
    self.init()
    guard state.contains("setbacks") else { return }
    let counts = try state.values("setbacks", as: Int64.self, shape: [3])
    let factor = try state.values("learningRateFactor", as: Double.self, shape: [])[0]
    let step = Int64(Int32.max)
    guard counts.allSatisfy({ (0...step).contains($0) }), factor > 0, factor <= 1 else {
      throw Problem(
        .badData, "setbacks of a run are impossible", expected: "counts from 0 to \(step) and a factor in (0, 1]",
        got: "\(counts) and \(factor)", at: state.path)
    }
    self.init(counts: counts.map(Int.init), learningRateFactor: factor)
  }
}

/// A model as a checkpoint holds it, without anything of its training: for evaluation, sampling and inspection.
package struct SavedModel {
  /// Sizes of the model, from the tensors themselves.
  package let shape: ModelShape
  /// The JSON of the vocabulary.
  package let vocabulary: [UInt8]
  /// SHA-256 of the parameters.
  package let parametersSHA256: String

  /// Reads and checks what a checkpoint says of its model. The parameters themselves are read by `readParameters`.
  package init(_ checkpoint: Checkpoint) throws {
    let file = try checkpoint.open(CheckpointFiles.model)
    shape = try SavedModel.shape(of: file, headName: SavedModel.headName(checkpoint))
    parametersSHA256 = try file.parametersSHA256()
    vocabulary = try DataIdentity(checkpoint).vocabulary
  }

  /// Fills flat memory with the parameters of the checkpoint that the model was made from.
  package func readParameters(_ checkpoint: Checkpoint, into parameters: UnsafeMutablePointer<Float>) throws {
    try ModelFile.read(checkpoint.open(CheckpointFiles.model), into: parameters, shape: shape)
  }

  static func shape(of file: TensorFile, headName: String) throws -> ModelShape {
    let table = file.contains("embedding.weight") ? try file.tensor("embedding.weight") : nil
    let lowest = try file.tensor("lstm.weight_ih_l0")
    let recurrent = try file.tensor("lstm.weight_hh_l0")
    var layers = 0
    while file.contains("lstm.weight_ih_l\(layers)") { layers += 1 }
    let shapes = [lowest, recurrent, table].compactMap { $0?.shape }
    guard shapes.allSatisfy({ $0.count == 2 && $0.allSatisfy { 0 < $0 && $0 <= largestSize } }),
      let head = OutputName(headName),
      let classes = head.isSharedOrCut ? table?.shape[0] : try outputs(of: file)
    else {
      throw Problem(
        .badData, "model cannot be read",
        expected:
          "lstm.weight_ih_l0 [4H, D], lstm.weight_hh_l0 [4H, H], output.weight [K, H], perhaps embedding.weight "
          + "[V, D], and a known head",
        got: "\(shapes) and \(headName)", at: file.path)
    }
    let directions = file.contains("lstm.weight_ih_l0_reverse") ? 2 : 1
    // The matrices of every layer must be there: a model is never larger than its file.
    let hidden = recurrent.shape[1]
    for layer in 0..<layers {
      let inputs = layer > 0 ? directions * hidden : table?.shape[1] ?? lowest.shape[1]
      for cell in ["l\(layer)", "l\(layer)_reverse"].prefix(directions) {
        _ = try file.tensor("lstm.weight_ih_\(cell)", shape: [4 * hidden, inputs])
        _ = try file.tensor("lstm.weight_hh_\(cell)", shape: [4 * hidden, hidden])
      }
    }
    let input: ModelShape.Input =
      table.map { .tokens(vocabulary: $0.shape[0], embedding: $0.shape[1]) } ?? .numbers(lowest.shape[1])
    guard
      let shape = head.shape(
        input: input, hidden: hidden, layers: layers, isBidirectional: directions == 2, classes: classes)
    else {
      throw Problem(
        .badData, "model cannot be read", expected: "a head that fits the layers",
        got: "\(headName) above \(shapes)", at: file.path)
    }
    for tensor in shape.outputTensors { _ = try file.tensor(tensor.name, shape: tensor.shape) }
    return shape
  }

  /// K of the one matrix of an output.
  private static func outputs(of file: TensorFile) throws -> Int? {
    let output = try file.tensor("output.weight").shape
    return output.count == 2 && 0 < output[0] && output[0] <= largestSize ? output[0] : nil
  }

  /// No size of a layer is larger: products of two fit an Int.
  private static let largestSize = 1 << 24

  /// Checkpoints of before there were two heads name none: they hold language models.
  private static func headName(_ checkpoint: Checkpoint) throws -> String {
    let state = try checkpoint.open(CheckpointFiles.state)
    guard state.contains("head") else { return "everyStep" }
    return String(decoding: try state.values("head", as: UInt8.self), as: UTF8.self)
  }
}
