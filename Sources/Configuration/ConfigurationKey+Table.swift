extension ConfigurationKey {
  /// Every key, in the order in which they are written.
  public static let all: [ConfigurationKey] =
    [
      .choice(
        "task", \.task,
        .derived("language-model where data.path is given, else reber") {
          ($0.data.path.isEmpty ? Configuration.Task.reber : .languageModel).rawValue
        },
        "What is learned: the embedded Reber grammar, the next token of a text, the class of a whole sequence, the next "
          + "values of a column of numbers; or of Hochreiter and Schmidhuber (1997) the order of symbols that stand far "
          + "apart (task 6), the sum (4) or the product (5) of two marked numbers of a long sequence.")
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
  private static let share = 0...0.9999999
  private static let smallestFactor = 1e-30

  private static let data: [ConfigurationKey] = [
    .choice(
      "data.source", \.data.source,
      .derived(
        "text (language-model), numbers (forecasting), generated for built-in tasks; classification: series for a path *.ts, table for *.csv and *.tsv, "
          + "audio where data.files ends in .wav, else class-files"
      ) { $0.usualSource.rawValue },
      "Where the sequences come from: generated, one text, a folder with a text file for each class, a table with texts "
        + "and labels, a series file of the UEA and UCR archives, a folder of WAV files, a table of numbers."),
    .text(
      "data.path", \.data.path, expected: "the path of a file or folder",
      scope: .tasks(.languageModel, .classification, .forecasting),
      "The text to learn; the file or folder of labelled sequences; the table of numbers."),
    .text(
      "data.files", \.data.files, expected: "a pattern with {class}",
      .derived("{class}.txt for class-files, {class}/*.wav for audio, else none") {
        switch $0.data.source {
        case .classFiles: "{class}.txt"
        case .audio: "{class}/*.wav"
        default: ""
        }
      }, scope: .sources(.classFiles, .audio),
      "Which files of the folder are read, and which part of a name is the class: {class}_*.wav takes 7_jackson_32.wav "
        + "for a clip of class 7."),
    .text(
      "data.textColumn", \.data.textColumn, expected: "the name of a column",
      .derived("text for a table, else none") { $0.data.source == .table ? "text" : "" }, scope: .sources(.table),
      "The column of the texts."),
    .text(
      "data.labelColumn", \.data.labelColumn, expected: "the name of a column",
      .derived("label for a table, else none") { $0.data.source == .table ? "label" : "" }, scope: .sources(.table),
      "The column of the classes."),
    .choice(
      "data.tokens", \.data.tokens,
      .derived(
        "symbols (reber, temporal-order), characters (language-model), words (classification of texts), else numbers"
      ) {
        $0.task.tokens(of: $0.data.source)[0].rawValue
      },
      "What one token of a text is: characters are Unicode scalars, words stand between white space, bytes read any "
        + "file. Symbols are those of generated tasks; series and sound are numbers."),
    .integer(
      "data.vocabulary", \.data.vocabulary, 0...(1 << 21),
      .derived("10000 for words, else 0") { $0.data.tokens == .words ? "10000" : "0" },
      "The most entries of the vocabulary of characters or words, <unk> included; rarer ones become <unk>. 0 keeps "
        + "all."),
    .validation(
      "data.validation", \.data.validation,
      .derived("0 (built-in tasks, or with data.heldOut or data.folds), 0.2 (forecasting), else 0.1") {
        $0.task.isGenerated || $0.data.holdsOutOtherwise ? "0" : $0.task == .forecasting ? "0.2" : "0.1"
      }, scope: .tasks(.languageModel, .classification, .forecasting),
      "What is held out: this share, at the end of a text or table or drawn from each class of sequences; or other data; 0 holds "
        + "nothing out. A file whose name is a number needs a directory: ./0.5."),
    .text(
      "data.heldOut", \.data.heldOut, expected: "patterns of names with | between them",
      scope: .tasks(.classification),
      "Sequences held out by their names: *_0.wav|*_1.wav takes the first two recordings of each digit and speaker. Names "
        + "of lines and rows end with a colon and their number."),
    .integer(
      "data.folds", \.data.folds, 0...1000, .always("0"), scope: .tasks(.classification),
      "Parts of a cross-validation, with the classes in their proportions; 0 for none."),
    .integer(
      "data.fold", \.data.fold, 0...999, .always("0"), scope: .tasks(.classification),
      "The part of a cross-validation that is held out, from 0."),
    .integer(
      "data.trainingStrings", \.data.trainingStrings, 0...1_000_000, .byTask("0", [.reber: "8192"]),
      scope: .tasks(.reber), "Strings that the grammar generates for training."),
    .integer(
      "data.heldOutStrings", \.data.heldOutStrings, 0...1_000_000,
      .byTask("0", [.reber: "256", .temporalOrder: "2560", .adding: "2560", .multiplication: "2560"]),
      scope: .tasks(.reber, .temporalOrder, .adding, .multiplication),
      "Strings generated for evaluation: of the grammar different ones, none of them a training string."),
    .integer(
      "data.relevantSymbols", \.data.relevantSymbols, 0...3, .byTask("0", [.temporalOrder: "2"]),
      scope: .tasks(.temporalOrder), "Symbols whose order is asked for: 2 (task 6a) or 3 (6b)."),
    .integer(
      "data.shortest", \.data.shortest, 0...10_000_000, .byTask("0", [.adding: "100", .multiplication: "100"]),
      scope: .tasks(.adding, .multiplication),
      "T of the paper, at least 22: sequences have T to T + T/10 timesteps."),
    .text(
      "data.columns", \.data.columns, expected: "names of columns with commas between them",
      scope: .tasks(.forecasting), "The columns of numbers that are read; without any, all."),
    .text(
      "data.target", \.data.target, expected: "the name of a column", scope: .tasks(.forecasting),
      "The column that is forecast, one of those that are read; without a name, the first."),
    .choice(
      "data.missing", \.data.missing, .always("error"), scope: .tasks(.forecasting),
      "What becomes of the holes of a table of numbers: an error, the value above, or the mean of the training rows."),
    .integer(
      "data.horizon", \.data.horizon, 0...10_000, .byTask("0", [.forecasting: "1"]), scope: .tasks(.forecasting),
      "How many values are forecast."),
    .integer(
      "data.season", \.data.season, 0...1_000_000, .always("0"), scope: .tasks(.forecasting),
      "Rows of a season, for the seasonal naive forecast that stands beside the model's; 0 for none."),
  ]

  private static let audio: [ConfigurationKey] = [
    .integer(
      "audio.bands", \.audio.bands, 1...1024, .always("40"), scope: .sources(.audio),
      "D, bands of the log-mel features, equally wide on the mel scale from 20 Hz to half the sample rate."),
    .number(
      "audio.window", \.audio.window, 0.0001...10, .always("0.025"), scope: .sources(.audio),
      "Seconds of a frame of sound."),
    .number(
      "audio.hop", \.audio.hop, 0.0001...10, .always("0.01"), scope: .sources(.audio),
      "Seconds from the beginning of a frame to that of the next."),
  ]

  private static let model: [ConfigurationKey] = [
    .integer(
      "model.embedding", \.model.embedding, 1...65536,
      .byTask("128", [.reber: "8", .classification: "64", .temporalOrder: "8"]),
      "D, the length of a token's vector."),
    .integer(
      "model.hidden", \.model.hidden, 1...65536,
      .byTask(
        "256",
        [
          .reber: "32", .classification: "128", .temporalOrder: "32", .adding: "32", .multiplication: "32",
          .forecasting: "64",
        ]),
      "H, hidden units of each layer."),
    .integer("model.layers", \.model.layers, 1...64, .byTask("1", [.languageModel: "2"]), "L, LSTM layers."),
    .number(
      "model.dropout", \.model.dropout, share, .always("0"),
      "The share of numbers dropped from the inputs of every layer and of the output layer: on all connections that "
        + "are not recurrent, the embedding's among them, never along time (Zaremba et al. 2014)."),
    .choice(
      "model.dropoutMask", \.model.dropoutMask, .always("timestep"),
      "How long a mask of model.dropout lasts: a timestep, or the whole window of a sequence, which is variational dropout "
        + "(Gal and Ghahramani 2016)."),
    .number(
      "model.weightDropout", \.model.weightDropout, share, .always("0"),
      "The share of recurrent weights dropped in an update, the same for all sequences and timesteps (DropConnect, Merity "
        + "et al. 2017)."),
    .number(
      "model.embeddingDropout", \.model.embeddingDropout, share, .always("0"), scope: .tokens,
      "The share of the vocabulary dropped in an update: a token has no vector wherever it stands (Gal and Ghahramani "
        + "2016)."),
    .number(
      "model.activationPenalty", \.model.activationPenalty, 0...1e6, .always("0"),
      scope: .tasks(.reber, .languageModel),
      "α of activation regularisation (AR, Merity et al. 2017): the mean square of what the output layer reads is added "
        + "to what is minimized, not to the loss that is reported."),
    .number(
      "model.temporalPenalty", \.model.temporalPenalty, 0...1e6, .always("0"), scope: .tasks(.reber, .languageModel),
      "β of temporal activation regularisation (TAR, Merity et al. 2017): likewise for the mean square of the change of "
        + "the highest layer's state from timestep to timestep."),
    .choice(
      "model.initialization", \.model.initialization, .always("uniform"),
      "How weights begin: uniform in ±1/√H, as PyTorch's nn.LSTM documents it, or xavier, uniform in "
        + "±√(6/(inputs + outputs)) gate by gate (Glorot and Bengio 2010)."),
    .number(
      "model.forgetBias", \.model.forgetBias, -100...100, .always("1"),
      "What the bias of the forget gate begins with. 1 lets a cell remember from the start (Gers et al. 2000; "
        + "Jozefowicz et al. 2015)."),
  ]

  private static let batch: [ConfigurationKey] = [
    .integer("batch.sequences", \.batch.sequences, 1...65536, .always("32"), "B, sequences of the global batch."),
    .integer(
      "batch.steps", \.batch.steps, 0...131_072,
      .byTask(
        "64",
        [
          .reber: "32", .classification: "0", .temporalOrder: "0", .adding: "0", .multiplication: "0",
          .forecasting: "24",
        ]),
      "T, timesteps of a window. The reber task draws a string again if it is longer than T + 1 symbols. With classes the "
        + "most timesteps of a sequence; 0 takes the longest."),
    .integer(
      "batch.jitter", \.batch.jitter, 0...10_000, .always("0"), scope: .tasks(.languageModel),
      "Random lengths of windows (Merity et al. 2018): batch.steps timesteps, in one window of 20 half as many, with this "
        + "standard deviation, at least 5 and at most two deviations more than batch.steps, for which there is memory; the "
        + "learning rate of a step is multiplied by its length over batch.steps. 0 for windows of batch.steps alone."),
    .integer(
      "batch.shards", \.batch.shards, 1...65536,
      .derived("8, or batch.sequences where that is less") { String(min(8, $0.batch.sequences)) },
      "S, logical shards of the batch: the most ranks that can take part. Another S gives other (equally good) bits."),
    .integer(
      "batch.accumulate", \.batch.accumulate, 1...65536, .always("1"), mayChangeOnResume: true,
      "A rank's shards are computed in at most so many passes, one after the other: less memory of activations, and the "
        + "same bits."),
    .number(
      "batch.reset", \.batch.reset, share, .byTask("0", [.languageModel: "0.02"]),
      scope: .tasks(.languageModel),
      "Probability that a lane forgets its hidden state before a window. Without it a model never sees an empty state "
        + "but once an epoch, and may come to need a state that has run for long."),
  ]

  private static let optimizer: [ConfigurationKey] = [
    .choice(
      "optimizer.name", \.optimizer.name, .always("adam"),
      "The rule of the update: Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019), gradient descent, RMSProp "
        + "(Tieleman and Hinton 2012), LAMB (You et al. 2020)."),
    .number(
      "optimizer.learningRate", \.optimizer.learningRate, smallestFactor...1000,
      .derived("1 for sgd, 0.001 for rmsprop, 0.01 for lamb, else 0.005") {
        switch $0.optimizer.name {
        case .sgd: "1"
        case .rmsprop: "0.001"
        case .lamb: "0.01"
        case .adam, .adamw: "0.005"
        }
      },
      "The factor of the update by the gradient of the global batch: the same for any number of ranks."),
    .number(
      "optimizer.clip", \.optimizer.clip, 0...1_000_000, .always("1"),
      "Gradients whose global norm is above this are scaled down to it; 0 never clips."),
    .choice(
      "optimizer.clipBy", \.optimizer.clipBy, .always("norm"),
      "What optimizer.clip limits: the global norm (Pascanu et al. 2013), or each element of the gradient, which is kept "
        + "within its negative and itself."),
    .number(
      "optimizer.beta1", \.optimizer.beta1, share, .always("0.9"),
      "The decay of the mean gradient of Adam, AdamW and LAMB."),
    .number(
      "optimizer.beta2", \.optimizer.beta2, share,
      .derived("0.99 for rmsprop, else 0.999") { $0.optimizer.name == .rmsprop ? "0.99" : "0.999" },
      "The decay of the mean squared gradient of Adam, AdamW, LAMB and RMSProp."),
    .number(
      "optimizer.epsilon", \.optimizer.epsilon, smallestFactor...1, .always("1e-8"),
      "What Adam, AdamW, LAMB and RMSProp add to their divisor."),
    .number(
      "optimizer.momentum", \.optimizer.momentum, share, .always("0"), scope: .optimizers(.sgd, .rmsprop),
      "What is left of the velocity at each update; the gradient is added to it."),
    .flag(
      "optimizer.nesterov", \.optimizer.nesterov, .always("false"), scope: .optimizers(.sgd),
      "Nesterov's momentum, which steps ahead before the gradient counts; needs optimizer.momentum."),
    .number(
      "optimizer.weightDecay", \.optimizer.weightDecay, 0...1000,
      .derived("0.01 for adamw and lamb, else 0") { [.adamw, .lamb].contains($0.optimizer.name) ? "0.01" : "0" },
      "How strongly every parameter is drawn to 0: for adamw and lamb apart from the gradient, else this share of the "
        + "parameter is added to its gradient, after clipping."),
    .choice(
      "optimizer.average", \.optimizer.average, .always("never"),
      "From when on the model is the average of the parameters after each update (Polyak and Juditsky 1992): never, from a "
        + "step on, or as soon as an evaluation is worse than the best but for the last optimizer.averagePatience ones "
        + "(NT-ASGD with sgd: Merity et al. 2018). Evaluations, checkpoints and the result have the average."),
    .integer(
      "optimizer.averageFrom", \.optimizer.averageFrom, 0...1_000_000_000, .always("0"),
      scope: .averages(.fromStep), "The step whose parameters are the first of the average."),
    .integer(
      "optimizer.averagePatience", \.optimizer.averagePatience, 0...1_000_000,
      .derived("5 for non-monotonic, else 0") { $0.optimizer.average == .nonMonotonic ? "5" : "0" },
      scope: .averages(.nonMonotonic),
      "How many evaluations before it a worse one is not compared with: n of the paper."),
  ]

  private static let schedule: [ConfigurationKey] = [
    .choice(
      "schedule.name", \.schedule.name, .always("constant"),
      "What the learning rate is multiplied by: 1; schedule.factor after each schedule.every updates (step), or little by "
        + "little (exponential); half a cosine down to schedule.floor (Loshchilov and Hutter 2017); schedule.factor after "
        + "each schedule.patience evaluations without a new best loss (plateau)."),
    .integer(
      "schedule.warmUp", \.schedule.warmUp, 0...1_000_000_000, .always("0"),
      "Updates over which the learning rate rises linearly at first; what schedule.name says begins after them."),
    .integer(
      "schedule.every", \.schedule.every, 0...1_000_000_000,
      .derived("1000 for step and exponential, else 0") {
        [.step, .exponential].contains($0.schedule.name) ? "1000" : "0"
      }, scope: .schedules(.step, .exponential), "Updates in which the learning rate falls by schedule.factor."),
    .number(
      "schedule.factor", \.schedule.factor, 1e-6...1, .always("0.5"), scope: .schedules(.step, .exponential, .plateau),
      "What the learning rate is multiplied by."),
    .integer(
      "schedule.end", \.schedule.end, 0...1_000_000_000,
      .derived("training.steps for cosine, else 0") {
        $0.schedule.name == .cosine ? String($0.training.steps) : "0"
      }, scope: .schedules(.cosine), "The update at which the cosine is at its end, counted from the start of the run."),
    .integer(
      "schedule.patience", \.schedule.patience, 0...1_000_000,
      .derived("3 for plateau, else 0") { $0.schedule.name == .plateau ? "3" : "0" }, scope: .schedules(.plateau),
      "Evaluations in a row without a new best loss before the learning rate falls."),
    .number(
      "schedule.floor", \.schedule.floor, 0...1, .always("0"),
      scope: .schedules(.step, .exponential, .cosine, .plateau),
      "The least share of the learning rate that is left after the warm-up."),
  ]

  private static let training: [ConfigurationKey] = [
    .integer(
      "training.steps", \.training.steps, 1...1_000_000_000,
      .byTask("2000", [.reber: "3000", .classification: "1000", .temporalOrder: "3000"]),
      mayChangeOnResume: true, "Parameter updates in total, counted from the start of the run."),
    .integer(
      "training.evaluateEvery", \.training.evaluateEvery, 0...1_000_000_000,
      .byTask("250", [.reber: "500"]), mayChangeOnResume: true,
      "Updates between two evaluations; 0 evaluates at the end only."),
    .integer(
      "training.checkpointEvery", \.training.checkpointEvery, 0...1_000_000_000,
      .derived("1000 (reber), 500 for other tasks, 0 where checkpoint.interval or checkpoint.overhead is given") {
        if $0.checkpoint.interval > 0 || $0.checkpoint.overhead > 0 { return "0" }
        return $0.task == .reber ? "1000" : "500"
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
      "checkpoint.interval", \.checkpoint.interval, .always("0"), mayChangeOnResume: true,
      "Time between two checkpoints, such as 10m; 0 for none by the clock."),
    .share(
      "checkpoint.overhead", \.checkpoint.overhead, 0...0.5, .always("0"), mayChangeOnResume: true,
      "The share of the time that checkpoints may cost, such as 2%: their cost is measured, and the time between two of "
        + "them follows from it. 0 for none."),
    .integer(
      "checkpoint.keepLast", \.checkpoint.keepLast, 0...1_000_000, .always("0"), mayChangeOnResume: true,
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
