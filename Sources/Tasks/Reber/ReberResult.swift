import Sequences

/// What a model makes of the embedded Reber grammar, beside the known truth.
package struct ReberResult: TaskResult {
  /// One set of strings.
  package struct Score: Equatable, Sendable {
    /// "training" or "held-out".
    package let set: String
    /// Strings whose every step has only legal symbols as its most likely ones.
    package let solved: Int
    package let strings: Int
    /// In nats per symbol.
    package let loss: Double
    /// That of the grammar's own probabilities.
    package let grammarLoss: Double
  }

  package let scores: [Score]
  /// Strings that the model was trained on, repetitions counted.
  package let trained: Int
  /// Strings drawn from the model, where that was asked for.
  package var sampled: [SampledSequence] = []

  /// The criterion of Hochreiter and Schmidhuber (1997): every string of both sets.
  package var isMet: Bool { scores.allSatisfy { $0.solved == $0.strings } }

  package var measurements: [Measurement] {
    scores.flatMap { score in
      [
        Measurement("strings", .count(score.strings), set: score.set),
        Measurement("loss", .number(score.loss), unit: "nats per symbol", set: score.set),
        Measurement(
          "loss", .number(score.grammarLoss), unit: "nats per symbol", set: score.set,
          baseline: "the grammar's own probabilities"),
        Measurement("solved", .count(score.solved), unit: "strings", set: score.set),
      ]
    } + [
      Measurement(
        "entropy", .number(ReberGrammar.entropyPerTarget), unit: "nats per symbol", set: "all strings",
        baseline: "the grammar's own probabilities"),
      Measurement("criterion met", .answer(isMet), set: "training and held-out"),
      Measurement("strings trained on", .count(trained), set: "training"),
    ]
  }
}
