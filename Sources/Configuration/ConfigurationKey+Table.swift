extension ConfigurationKey {
  /// Every key, in the order in which they are written.
  package static let all: [ConfigurationKey] =
    [
      .choice(
        "task", \.task,
        .derived("language-model where data.path is given, else reber") {
          ($0.data.path.isEmpty ? Configuration.Task.reber : .languageModel).rawValue
        },
        "What is learned: the embedded Reber grammar, the next token of a text, the class of a whole sequence, a label "
          + "for each of its words, the next values of a column of numbers; or of Hochreiter and Schmidhuber (1997) the "
          + "order of symbols that stand far apart (task 6), the sum (4) or the product (5) of two marked numbers of a "
          + "long sequence, its first symbol again at its end (2).")
    ] + data + audio + model + batch + optimizer + training + schedule + checkpoint + nonFinite + [
      .seed("seed", \.seed, .always("1"), "Weights, dropout, data order and generated strings all follow from it."),
      .choice(
        "distributed.reduction", \.distributed.reduction, .always("reproducible"),
        "How gradients are added over ranks: reproducible gives the same bits for any number of ranks; mpi leaves the "
          + "order of summation to MPI_Allreduce."),
      .choice(
        "distributed.sharedMemory", \.distributed.sharedMemory, .always("auto"), mayChangeOnResume: true,
        "Ranks of one node share one copy of the parameters and read each other's gradients: where it is possible (auto), "
          + "or else not at all (on), or never (off). The same bits either way."),
      .choice(
        "distributed.embedding", \.distributed.embedding, .always("sparse"), mayChangeOnResume: true,
        "Which rows of the embedding's gradient travel between ranks that do not share memory: those that some rank has "
          + "seen in the step (sparse), or all of them (dense). The same bits either way; reduction mpi sends all."),
      .integer(
        "watchdog.seconds", \.watchdog.seconds, 0...1_000_000, .always("60"), mayChangeOnResume: true,
        "The job ends with exit code 77 when a rank gives no sign of life for so long, or ten times as long lives but "
          + "does not get on; 0 waits for ever."),
      .integer(
        "verify.every", \.verify.every, 0...1_000_000_000, .always("100"), mayChangeOnResume: true,
        "Updates between two records of the parameters' hashes in metrics.jsonl, which lstm-dist verify compares; 0 "
          + "records none."),
      .flag(
        "paranoid", \.paranoid, .always("false"), mayChangeOnResume: true,
        "Every verify.every updates all ranks must agree on configuration, data, plan, step, order of reductions and "
          + "parameters; and before each update a rank's parameters must be as the last update left them."),
    ]

  // Numbers become Float where they are used. There a share close enough to 1 would be 1, and a factor small enough 0:
  // the bounds keep a distance from both, also after Adam's bias correction.
  static let share = 0...0.9999999
  static let smallestFactor = 1e-30

  private static let training: [ConfigurationKey] = [
    .integer(
      "training.steps", \.training.steps, 1...1_000_000_000,
      .byTask("2000", [.reber: "3000", .classification: "1000", .tagging: "1000", .temporalOrder: "3000"]),
      mayChangeOnResume: true, "Parameter updates in total, counted from the start of the run."),
    .integer(
      "training.evaluateEvery", \.training.evaluateEvery, 0...1_000_000_000,
      .byTask("250", [.reber: "500"]), mayChangeOnResume: true,
      "Updates between two evaluations; 0 evaluates at the end only."),
    .integer(
      "training.checkpointEvery", \.training.checkpointEvery, 0...1_000_000_000,
      .derived("training.evaluateEvery, 0 where checkpoint.interval or checkpoint.overhead is given") {
        $0.checkpoint.interval > 0 || $0.checkpoint.overhead > 0 ? "0" : String($0.training.evaluateEvery)
      },
      mayChangeOnResume: true,
      "Updates between two checkpoints; 0 writes one at the end only, but for those by the clock."),
    .duration(
      "training.timeLimit", \.training.timeLimit, .always("0"), mayChangeOnResume: true,
      "A job stops with a checkpoint and exit code 75 before it has run for so long, such as 90m; 0 for no limit."),
    .recompute(
      "training.recompute", \.training.recompute, .always("off"),
      "Long windows in little memory: of a window's timesteps only a segment is in memory at once, of so many timesteps "
        + "or (auto) of about the square root of them, and its forward pass is computed again before its backward pass. "
        + "Back-propagation still goes through all of the window; the same bits."),
    .integer(
      "training.patience", \.training.patience, 0...1_000_000, .always("0"), mayChangeOnResume: true,
      "Evaluations in a row without a new best loss after which the run is complete before its last step; 0 for no such "
        + "end."),
  ]

  private static let checkpoint: [ConfigurationKey] = [
    .duration(
      "checkpoint.interval", \.checkpoint.interval,
      .derived("10m, 0 where checkpoint.overhead is given") { $0.checkpoint.overhead > 0 ? "0" : "600" },
      mayChangeOnResume: true,
      "Time from one checkpoint to the next, such as 10m; the first of a job comes after a minute at the latest. 0 for "
        + "none by the clock."),
    .share(
      "checkpoint.overhead", \.checkpoint.overhead, 0...0.5, .always("0"), mayChangeOnResume: true,
      "The share of the time that checkpoints may cost, such as 2%: their cost is measured, and the time between two of "
        + "them follows from it; the first of a job comes after a minute at the latest. 0 for none."),
    .integer(
      "checkpoint.keepLast", \.checkpoint.keepLast, 0...1_000_000, .always("3"), mayChangeOnResume: true,
      "How many of the newest checkpoints are kept; an older one is removed when a newer one stands and has been read "
        + "back. 0 keeps all."),
    .flag(
      "checkpoint.keepBest", \.checkpoint.keepBest, .always("true"), mayChangeOnResume: true,
      "The checkpoint with the lowest validation loss is kept, of those at whose step there was an evaluation."),
    .integer(
      "checkpoint.keepEvery", \.checkpoint.keepEvery, 0...1_000_000_000, .always("0"), mayChangeOnResume: true,
      "From each multiple of so many updates on the first checkpoint is kept; 0 keeps none for that reason."),
  ]

  private static let nonFinite: [ConfigurationKey] = [
    .choice(
      "nonFinite.policy", \.nonFinite.policy, .always("stop"), mayChangeOnResume: true,
      "What follows a step whose loss or gradient is infinite or NaN, and which therefore changes no parameter: the run "
        + "stops with exit code 76, goes on with the next step (skip), or goes back to its newest checkpoint and on with "
        + "a lower learning rate (rollback)."),
    .integer(
      "nonFinite.skips", \.nonFinite.skips, 1...1_000_000_000, .always("10"), mayChangeOnResume: true,
      "The most steps that skip passes over in a row; one more ends the run."),
    .integer(
      "nonFinite.rollbacks", \.nonFinite.rollbacks, 1...1_000_000_000, .always("3"), mayChangeOnResume: true,
      "The most rollbacks of a run; one more ends it."),
    .number(
      "nonFinite.learningRateFactor", \.nonFinite.learningRateFactor, 1e-6...1, .always("0.5"),
      mayChangeOnResume: true, "What each rollback multiplies the learning rate by, for all steps from there on."),
    .integer(
      "nonFinite.dumps", \.nonFinite.dumps, 0...1_000_000, .always("3"), mayChangeOnResume: true,
      "The most steps that were not finite of which a run keeps parameters and batch, for lstm-dist replay; 0 keeps "
        + "none."),
  ]
}
