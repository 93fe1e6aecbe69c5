import LSTM

/// The sizes of a benchmark of the training step.
package struct BenchmarkShape: Sendable {
  /// What a step is.
  package enum Work: Equatable, Sendable {
    /// The trainer's own step of a model.
    case training(ModelShape)
    /// LSTM layers alone, lowest first, on one rank: forward, and backward to the gradients of weights and inputs.
    case layers([LSTMShape])
  }

  /// For example `char-512`.
  package let name: String
  /// What a step is.
  package let work: Work
  /// B, sequences of all ranks together.
  package let sequences: Int
  /// T.
  package let timesteps: Int

  /// A shape of any sizes.
  package init(name: String, work: Work, sequences: Int, timesteps: Int) {
    self.name = name
    self.work = work
    self.sequences = sequences
    self.timesteps = timesteps
  }

  /// Floating-point operations of a step by the formula that is the same for every implementation: see
  /// `ModelShape.flopsPerStep` and `LSTMShape.flopsPerStep`.
  package var flops: Double {
    switch work {
    case .training(let model): model.flopsPerStep(timesteps: timesteps, lanes: sequences)
    case .layers(let stack): LSTMShape.flopsPerStep(stack, timesteps: timesteps, lanes: sequences)
    }
  }

  /// Those that really run here: see `ModelShape.flopsThatRun`.
  package var flopsThatRun: Double {
    switch work {
    case .training(let model): model.flopsThatRun(timesteps: timesteps, lanes: sequences)
    case .layers: flops
    }
  }

  /// The named shapes: character models, word models of the sizes of Zaremba et al. (2014), a classifier of audio
  /// clips, and the layers that a rank with few lanes runs.
  package static let named: [BenchmarkShape] = [
    languageModel("char-128", vocabulary: 65, layers: 2, hidden: 128, sequences: 50, timesteps: 50),
    languageModel("char-512", vocabulary: 65, layers: 2, hidden: 512, sequences: 64, timesteps: 128),
    languageModel("char-512-10", vocabulary: 65, layers: 2, hidden: 512, sequences: 10, timesteps: 128),
    languageModel("ptb-medium", vocabulary: 10_000, layers: 2, hidden: 650, sequences: 20, timesteps: 35),
    languageModel("ptb-medium-10", vocabulary: 10_000, layers: 2, hidden: 650, sequences: 10, timesteps: 35),
    languageModel("ptb-large", vocabulary: 10_000, layers: 2, hidden: 1500, sequences: 20, timesteps: 35),
    languageModel("words-256", vocabulary: 10_000, layers: 1, hidden: 256, sequences: 64, timesteps: 50),
    BenchmarkShape(
      name: "audio-128",
      work: .training(ModelShape(input: .numbers(40), hidden: 128, layers: 2, head: .pooled(classes: 12))),
      sequences: 32, timesteps: 100),
    BenchmarkShape(
      name: "small-shard", work: .layers(LSTMShape.stack(inputs: 650, hidden: 650, layers: 2)), sequences: 5,
      timesteps: 35),
  ]

  /// The embedding is as large as the hidden state.
  private static func languageModel(
    _ name: String, vocabulary: Int, layers: Int, hidden: Int, sequences: Int, timesteps: Int
  ) -> BenchmarkShape {
    BenchmarkShape(
      name: name,
      work: .training(.languageModel(vocabulary: vocabulary, embedding: hidden, hidden: hidden, layers: layers)),
      sequences: sequences, timesteps: timesteps)
  }
}
