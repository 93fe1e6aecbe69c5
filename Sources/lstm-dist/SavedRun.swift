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
    guard vocabulary.count == model.shape.vocabulary else {
      throw CheckpointError(
        .badData, "vocabulary does not fit the model", expected: "\(model.shape.vocabulary) entries",
        got: "\(vocabulary.count)", at: checkpoint.path)
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
