import Configuration
import DataParallel
import Problems
import Runs
import Tasks
import TrainingLoop

/// What a finished run has come to, and what can be done with it.
extension TrainJob {
  /// Every rank calls it.
  func summarize(
    _ console: Console, _ configuration: Configuration, _ data: RunData, _ training: Training,
    _ directory: RunDirectory, lastStep: Int
  ) throws {
    let result = try training.withAverage { try data.result(ModelOnRanks(training.replica, world), lastStep) }
    guard isRoot else { return }
    let run = FinishedRun(
      configuration: configuration, path: directory.path, lastStep: lastStep, isExhausted: training.isExhausted,
      ranks: world.communicator.size)
    if let result { summary(of: result, trains: run.trains).forEach(console.line) }
    console.line("\ncheckpoint: \(directory.checkpointPath(step: lastStep))")
    try tellOfBest(console, directory, lastStep: lastStep)
    try warnOfLoss(configuration, directory)
    console.line("next:")
    for command in run.nextCommands(configuration.learningTask.uses) { console.line("  \(command.line)") }
  }

  private func tellOfBest(_ console: Console, _ directory: RunDirectory, lastStep: Int) throws {
    let kept = try directory.bestCheckpoint().newest?.manifest
    if let kept, kept.step != lastStep, let loss = kept.validationLoss {
      console.line("best checkpoint: step \(kept.step), validation loss \(rounded(loss, 4)); --best takes it")
    }
    if let best = try directory.betterEvaluation(than: kept) {
      console.line(
        "best evaluation: step \(best.step), validation loss \(rounded(best.loss, 4)); no checkpoint of it was kept")
    }
  }

  /// A training that has made the model worse than it was at first says so.
  private func warnOfLoss(_ configuration: Configuration, _ directory: RunDirectory) throws {
    guard let course = try LossCourse(metrics: directory.metrics), course.endsFarAboveStart else { return }
    let optimizer = configuration.optimizer
    printError(
      "warning: the run ends far above its start — expected a training loss below \(rounded(course.first, 4)), that of "
        + "the first step, got \(rounded(course.least, 4)) or more in the last \(course.count) steps (\(directory.path))\n"
        + "hint: lower optimizer.learningRate, here \(optimizer.learningRate), or optimizer.clip, here \(optimizer.clip)"
    )
  }
}
