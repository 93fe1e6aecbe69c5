extension ConfigurationKey {
  static let model: [ConfigurationKey] = [
    .integer(
      "model.embedding", \.model.embedding, 1...65536,
      .byTask("128", [.reber: "8", .classification: "64", .tagging: "64", .temporalOrder: "8", .copy: "32"]),
      "D, the length of a token's vector."),
    .text(
      "model.vectors", \.model.vectors, expected: "the path of a file",
      scope: .tasks(.languageModel, .classification, .tagging),
      "Pretrained word vectors in text form, a word and D numbers on each line: what the vectors of words begin with that "
        + "are found in it; the others begin as usual."),
    .integer(
      "model.hidden", \.model.hidden, 1...65536,
      .byTask(
        "256",
        [
          .reber: "32", .classification: "128", .tagging: "128", .temporalOrder: "32", .adding: "32",
          .multiplication: "32", .copy: "32", .forecasting: "64", .pianoRoll: "200",
        ]),
      "H, hidden units of each layer."),
    .integer("model.layers", \.model.layers, 1...64, .byTask("1", [.languageModel: "2"]), "L, LSTM layers."),
    .flag(
      "model.bidirectional", \.model.bidirectional, .always("false"), scope: .tasks(.classification, .tagging),
      "Every layer has a second cell, which reads sequences from their ends (Schuster and Paliwal 1997); what is above "
        + "reads both, 2H numbers, and a head for whole sequences their two ends."),
    .choice(
      "model.pooling", \.model.pooling, .always("last"), scope: .tasks(.classification),
      "What the output layer reads of a sequence: the state at its last timestep (of bidirectional layers the two ends), "
        + "the mean over its timesteps, or of each unit the largest over its timesteps."),
    .number(
      "model.dropout", \.model.dropout, share, .always("0"),
      "The share of numbers dropped from the inputs of every layer and of the output layer: on all connections that "
        + "are not recurrent, the embedding's among them, never along time (Zaremba et al. 2014)."),
    .flag(
      "model.tied", \.model.tied, .always("false"), scope: .tasks(.reber, .languageModel),
      "Whether the embedding is the matrix of the output too, so that model.embedding must be model.hidden (Press and Wolf "
        + "2017, Inan et al. 2017)."),
    .text(
      "model.adaptiveSoftmax", \.model.adaptiveSoftmax, expected: "ascending cutoffs with commas between them",
      scope: .tasks(.languageModel),
      "Cuts the vocabulary, frequent words first, into a head and tails that are asked only where a word of theirs is "
        + "meant (Grave et al. 2017): 2000,10000 makes two tails. The probabilities are exact. Without cutoffs one softmax "
        + "says all words."),
    .integer(
      "model.adaptiveFactor", \.model.adaptiveFactor, 1...64,
      .derived("1 with model.tied, else 4") { $0.model.tied ? "1" : "4" }, scope: .tasks(.languageModel),
      "What each tail of an adaptive softmax divides the units of the one before by: its words are told from H / factor, "
        + "H / factor², … numbers."),
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
    .number(
      "model.inputBias", \.model.inputBias, -100...100, .always("0"),
      "What is added to the first biases of the input gate. Below 0 a cell takes little in until it has learned what "
        + "(Hochreiter and Schmidhuber 1997)."),
  ]

  static let batch: [ConfigurationKey] = [
    .integer("batch.sequences", \.batch.sequences, 1...65536, .always("32"), "B, sequences of the global batch."),
    .integer(
      "batch.steps", \.batch.steps, 0...131_072,
      .byTask(
        "64",
        [
          .reber: "32", .classification: "0", .tagging: "0", .temporalOrder: "0", .adding: "0", .multiplication: "0",
          .copy: "0", .forecasting: "24", .pianoRoll: "0",
        ]),
      "T, timesteps of a window. The reber task draws a string again if it is longer than T + 1 symbols. With classes or "
        + "labels the most timesteps of a sequence; 0 takes the longest."),
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
}
