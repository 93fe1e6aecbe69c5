import ArgumentParser

/// `evaluate`: how good a saved model is on held-out data, exactly.
struct Evaluate: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures a saved model, every target counted once; the same bits on any number of ranks.",
    discussion:
      "A language model's loss; of a classifier or tagger also accuracy, F1 of each class, and the confusion matrix.")

  @OptionGroup var model: ModelChoice
  @Option(
    name: [.customLong("data"), .customLong("text")],
    help: ArgumentHelp(
      "Text, file or folder to evaluate on, in the form of the run's own; by default what the run held out.",
      valueName: "path"))
  var data: String?
  @OptionGroup var ranks: RankOptions

  func run() {
    runJob { world in
      let (saved, checkpoint) = try loadModel(model, world: world)
      let task = saved.configuration.task.type
      let hint = data == nil ? "if the data of the run have moved, name them or others with --data PATH" : nil
      try world.onEachNode { try SavedRun.hinting(hint) { try task.prepareEvaluation(of: saved, on: data) } }
      let evaluation = world.agree { try SavedRun.hinting(hint) { try task.evaluation(of: saved, on: data) } }
      let replica = try saved.replica(world, checkpoint, timesteps: evaluation.timesteps)
      if world.communicator.rank == 0 { printLine("checkpoint: \(checkpoint.path)") }
      let lines = try evaluation.lines(replica, world)
      if world.communicator.rank == 0 { lines.forEach(printLine) }
      return 0
    }
  }
}
