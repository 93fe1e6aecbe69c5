import Checkpoints
import Configuration
import DataParallel
import Foundation
import MPI
import Sequences

/// A saved model with what is needed to use it.
struct SavedRun {
  let model: SavedModel
  let configuration: Configuration
  let vocabulary: Vocabulary

  init(_ checkpoint: Checkpoint) throws {
    model = try SavedModel(checkpoint)
    configuration = try Configuration(yaml: checkpoint.manifest.configuration, name: checkpoint.path)
    vocabulary = try Vocabulary(json: Data(model.vocabulary), name: checkpoint.path)
    let count = vocabulary.count
    guard model.shape.vocabulary == count, model.shape.head == .everyStep(classes: count) else {
      throw CheckpointError(
        .badData, "vocabulary does not fit the model",
        expected: "a model that reads \(count) tokens and says the next of \(count) at every timestep",
        got: "\(model.shape.input), \(model.shape.head)", at: checkpoint.path)
    }
  }
}

/// Every rank opens what a RUN argument means; rank 0 names damaged checkpoints that were passed over.
func loadModel(_ path: String, world: World) -> (SavedRun, Checkpoint) {
  world.agree {
    let resolved = try ResolvedRun(path)
    if world.communicator.rank == 0 {
      for damaged in resolved.damaged {
        printError("warning: passed over a damaged checkpoint: \(damaged.error.message)")
      }
    }
    return (try SavedRun(resolved.checkpoint), resolved.checkpoint)
  }
}
