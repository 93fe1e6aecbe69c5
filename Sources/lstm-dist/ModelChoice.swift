import ArgumentParser
import Configuration
import DataParallel
import JobHealth
import MPI
import Plan
import Problems
import Runs
import Tasks

/// Which model a command uses.
struct ModelChoice: ParsableArguments {
  @Argument(help: ArgumentHelp("A run directory (its newest valid checkpoint) or one checkpoint.", valueName: "run"))
  var path: String
  @Flag(help: "Of a run directory the checkpoint with the lowest validation loss.") var best = false

  /// Every rank opens what the argument means; rank 0 names damaged checkpoints that were passed over.
  func load(_ world: World) throws -> LoadedModel {
    let loaded = world.agree {
      let resolved = try ResolvedRun(path, best: best)
      try resolved.run?.checkConfiguration(of: resolved.checkpoint)
      if world.communicator.rank == 0 { warn(resolved) }
      let model = try SavedModel(resolved.checkpoint)
      return LoadedModel(
        saved: try SavedRun(model, resolved.checkpoint), model: model, checkpoint: resolved.checkpoint)
    }
    try world.agree(on: [
      ("the checkpoint's step", "\(loaded.checkpoint.manifest.step)"),
      ("the checkpoint's parameters", loaded.model.parametersSHA256),
    ])
    return loaded
  }

  private func warn(_ resolved: ResolvedRun) {
    for damaged in resolved.damaged {
      printError("warning: passed over a damaged checkpoint: \(damaged.error.message)")
    }
    if let best = resolved.betterEvaluation, let loss = resolved.checkpoint.manifest.validationLoss {
      printError(
        "warning: no checkpoint of the best evaluation was kept — expected step \(best.step), validation loss "
          + "\(rounded(best.loss, 4)), got step \(resolved.checkpoint.manifest.step), \(rounded(loss, 4)) (\(path))")
    }
  }
}

/// A saved model, the run that it is of, and the checkpoint with its parameters.
struct LoadedModel {
  let saved: SavedRun
  let model: SavedModel
  let checkpoint: Checkpoint

  /// The model on all ranks, with windows of T = `timesteps`. Collective.
  func replica(_ world: World, timesteps: Int) throws -> ModelOnRanks {
    let configuration = saved.configuration
    let plan = world.agree {
      try ShardPlan(
        globalBatch: configuration.batch.sequences, shards: configuration.batch.shards, ranks: world.communicator.size)
    }
    let setup = TrainingSetup(configuration, shape: model.shape, timesteps: timesteps)
    world.agree {
      try MemoryLimits.ofThisProcess(localRanks: world.node.size).check(
        Replica.memoryNeed(of: setup, plan: plan), for: "model and sequences do not fit",
        hint: "use fewer ranks, or more nodes")
    }
    let replica = try Replica(
      world: world, shape: model.shape, timesteps: timesteps,
      segment: configuration.training.recompute.segment(of: timesteps), plan: plan, dropout: nil,
      accumulate: configuration.batch.accumulate)
    world.agree { try model.readParameters(checkpoint, into: replica.parameters) }
    try replica.parametersChanged()
    return ModelOnRanks(replica, world)
  }
}

extension RunDirectory {
  /// Throws, with exit code 65, where a checkpoint has another configuration than its run, in a key that may not change
  /// within one.
  func checkConfiguration(of checkpoint: Checkpoint) throws {
    let run = try Configuration(yaml: readConfiguration(atMost: Configuration.maximumBytes), name: configurationPath)
    let own = try Configuration(yaml: checkpoint.manifest.configuration, name: checkpoint.path)
    guard let difference = own.difference(withinRun: run) else { return }
    throw Problem(
      .badData, "checkpoint of another configuration", expected: "\(difference.key) \(difference.other) as in the run",
      got: difference.value, at: checkpoint.path,
      hint: "move the checkpoint out of \(path), or restore \(configurationPath)")
  }
}
