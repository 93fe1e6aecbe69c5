extension Configuration {
  /// The global batch.
  package struct Batch: Sendable, Equatable {
    package internal(set) var sequences = 0
    package internal(set) var steps = 0
    package internal(set) var jitter = 0
    package internal(set) var shards = 0
    package internal(set) var accumulate = 0
    package internal(set) var reset = 0.0

    static let keys: [ConfigurationKey] = [
      .init(
        "batch.sequences", \.batch.sequences, .integer(1...65536), .always("32"), "B, sequences of the global batch."),
      .init(
        "batch.steps", \.batch.steps, .integer(0...131_072), .byTask("64"),
        "T, timesteps of a window. The reber task draws a string again if it is longer than T + 1 symbols. With classes or "
          + "labels the most timesteps of a sequence; 0 takes the longest."
      ).explained(
        "State is carried from window to window of a text, gradients are not."),
      .init(
        "batch.jitter", \.batch.jitter, .integer(0...10_000), .always("0"), scope: .tasks(.languageModel),
        "Random lengths of windows (Merity et al. 2018): batch.steps timesteps, in one window of 20 half as many, with this "
          + "standard deviation, at least 5 and at most two deviations more than batch.steps, for which there is memory; the "
          + "learning rate of a step is multiplied by its length over batch.steps. 0 for windows of batch.steps alone."
      ).explained(
        "What a window is shorter than the longest is padding, and computed. Not with `training.recompute`."),
      .init(
        "batch.shards", \.batch.shards, .integer(1...65536),
        .derived("8, or batch.sequences where that is less") { String(min(8, $0.batch.sequences)) },
        "S, logical shards of the batch: the most ranks that can take part. Another S gives other (equally good) bits."),
      .init(
        "batch.accumulate", \.batch.accumulate, .integer(1...65536), .always("1"), mayChangeOnResume: true,
        "A rank's shards are computed in at most this many passes, one after the other: less memory of activations, and the "
          + "same bits."
      ).explained(
        "A rank with fewer shards makes as many passes as it has shards."),
      .init(
        "batch.reset", \.batch.reset, .number(.belowOne), .byTask("0"),
        scope: .tasks(.languageModel),
        "Probability that a lane forgets its hidden state before a window. Without it a model never sees an empty state "
          + "but once an epoch, and may come to need a state that has run for long."),
    ]
  }
}
