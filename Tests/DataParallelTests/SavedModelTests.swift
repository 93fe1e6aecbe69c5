import DataParallel
import Foundation
import LSTM
import Problems
import Runs
import SafeTensors
import Testing

@Suite struct SavedModelTests {
  /// Tensors of 4 MB that claim a million hidden units, for which the recurrent matrix of a layer would take 16 TB.
  @Test(arguments: [(hidden: 1_000_000, classes: 1), (hidden: 2, classes: 5)])
  func aModelIsNeverLargerThanItsFile(hidden: Int, classes: Int) throws {
    let read = { try model(hidden: hidden, classes: classes, head: "everyStep") }
    if hidden == 2 {
      #expect(try read().shape.parameterCount == 5 * 3 + (3 + 2 + 1) * 8 + (2 + 1) * 5)
    } else {
      let error = #expect(throws: Problem.self) { _ = try read() }
      #expect(error?.exitCode == 65 && error?.message.contains("output.weight") == true, "\(error!)")
    }
  }

  @Test func theHeadSaysWhatItReads() throws {
    func shape(_ head: String) throws -> ModelShape { try model(hidden: 2, classes: 5, head: head).shape }
    #expect(try shape("lastStep").pooling == .last)
    #expect(try shape("lastStep pooling=mean").pooling == .mean)
    #expect(try shape("lastStepNumbers pooling=max").pooling == .max)
    for other in ["everyStep pooling=mean", "lastStep pooling=last", "lastStep pooling=sum", "lastStep pooling="] {
      let error = #expect(throws: Problem.self) { try shape(other) }
      #expect(error?.exitCode == 65 && error?.message.contains(other) == true)
    }
  }

  private func model(hidden: Int, classes: Int, head: String) throws -> SavedModel {
    let folder = FileManager.default.temporaryDirectory.appending(path: "model-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let run = RunDirectory(path: folder)
    try run.create(configuration: "")
    func tensor(_ name: String, _ shape: Int...) -> TensorSource {
      TensorSource(name: name, shape: shape, values: [Float](repeating: 0.5, count: shape.reduce(1, *)))
    }
    func text(_ name: String, _ text: String) -> TensorSource {
      TensorSource(name: name, shape: [text.utf8.count], values: Array(text.utf8))
    }
    let model = [
      tensor("embedding.weight", classes, 3), tensor("lstm.weight_ih_l0", 8, 3), tensor("lstm.weight_hh_l0", 8, 2),
      tensor("lstm.bias_ih_l0", 8), tensor("lstm.bias_hh_l0", 8), tensor("output.weight", classes, hidden),
      tensor("output.bias", classes),
    ]
    let state = [text("head", head), text("vocabulary", "{}"), text("tokensSHA256", "")]
    try run.writeCheckpoint(
      Manifest(
        step: 1, dataPosition: DataPosition(epoch: 0, stepInEpoch: 1), seed: 1, shards: 1, configuration: ""),
      files: [
        CheckpointFile(name: "model.safetensors", tensors: model),
        CheckpointFile(name: "state.safetensors", tensors: state),
      ])
    return try SavedModel(run.checkpoint(step: 1))
  }
}
