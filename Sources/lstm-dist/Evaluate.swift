import ArgumentParser
import DataParallel
import Tasks

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
  @Flag(help: "Prints one JSON object.") var json = false
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var dataOptions: DataOptions
  @OptionGroup var ranks: RankOptions

  func run() {
    runJob { world in
      let loaded = try model.load(world)
      let saved = world.agree { try loaded.saved.reading(reading.overrides()) }
      let task = saved.configuration.learningTask
      let hint = data == nil ? "if the data of the run have moved, name them or others with --data PATH" : nil
      try world.onEachNode {
        try MovedData.hinting(hint) { try task.prepareEvaluation(of: saved, on: data, printNotice) }
      }
      let evaluation = world.agree { try MovedData.hinting(hint) { try task.evaluation(of: saved, on: data) } }
      let replica = try loaded.replica(world, timesteps: evaluation.timesteps)
      let isRoot = world.communicator.rank == 0
      if isRoot { dataOptions.tell(evaluation.account) }
      if isRoot, !json { printLine("checkpoint: \(loaded.checkpoint.path)") }
      if let identity = evaluation.identity { try world.agree(on: identity.claims, hint: DataIdentity.hint) }
      let result = try evaluation.measure(replica)
      guard isRoot else { return 0 }
      if json { printLine(evaluationRecord(of: result, loaded).text) } else { report(of: result).forEach(printLine) }
      return 0
    }
  }
}
