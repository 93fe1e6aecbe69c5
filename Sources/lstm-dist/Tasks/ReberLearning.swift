import Configuration
import DataParallel
import Problems
import Sequences

/// The embedded Reber grammar.
enum ReberLearning: LearningTask {
  static func data(_ configuration: Configuration) throws -> RunData {
    let (task, batch) = (try reberTask(configuration), configuration.batch)
    let shape = try languageModel(configuration, vocabulary: ReberTask.vocabulary)
    return RunData(
      shape: shape, timesteps: batch.steps,
      training: task.trainingSource(globalBatch: batch.sequences, seed: configuration.seed),
      validation: task.heldOut.isEmpty ? nil : task.evaluationSource(task.heldOut, globalBatch: batch.sequences),
      identity: DataIdentity(
        vocabulary: Array(try ReberTask.vocabulary.json()), tokens: task.training + task.heldOut),
      unit: "token"
    ) { model, world, step in
      let result = try ReberResult(task, model: model, world: world)
      let sampled = ReberResult.sampledStrings(
        shape: shape, parameters: model.parameters, seed: configuration.seed)
      let ofText = ShellCommand(["lstm-dist", "train", "--text", "FILE"])
      return [""] + result.lines(sequences: step * batch.sequences) + sampled
        + ["", "a character model of any text: \(ofText.line)"]
    }
  }

  static func evaluation(of saved: SavedRun, on path: String?) throws -> Evaluation {
    if let path {
      throw Problem(.badConfiguration, "a model of the Reber grammar has no text — expected no --text, got \(path)")
    }
    _ = try saved.languageModelVocabulary()
    let (task, batch) = (try reberTask(saved.configuration), saved.configuration.batch)
    return Evaluation(timesteps: batch.steps) { model, world in
      [""] + (try ReberResult(task, model: model, world: world).lines(sequences: saved.step * batch.sequences))
    }
  }

  static func sample(_ options: Sample, from saved: SavedRun, _ sampler: () throws -> Sampler) throws {
    _ = try saved.languageModelVocabulary()
    guard options.prompt == nil else {
      throw Problem(.usage, "a model of the Reber grammar takes no prompt — expected no --prompt")
    }
    let sampler = try sampler()
    for _ in 0..<(options.length ?? 10) {
      let string = ReberResult.draw(sampler, temperature: options.temperature, limits: options.limits)
      printLine("\(ReberTask.vocabulary.decode(string))  \(ReberGrammar.isLegal(string) ? "legal" : "not legal")")
    }
  }

  static func uses(of run: FinishedRun) -> [ShellCommand] { [run.command("inspect"), run.command("sample")] }

  private static func reberTask(_ configuration: Configuration) throws -> ReberTask {
    try ReberTask(
      seed: configuration.seed, trainingCount: configuration.data.trainingStrings,
      heldOutCount: configuration.data.heldOutStrings, longest: configuration.batch.steps + 1)
  }
}
