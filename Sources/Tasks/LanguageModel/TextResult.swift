import Foundation
import Sequences

/// How well the tokens of a text are predicted.
package struct TextResult: TaskResult {
  /// What the text is called.
  package let set: String
  /// Tokens that are predicted: all but the first.
  package let targets: Int
  /// In nats per token.
  package let loss: Double
  package let tokens: TokenKind
  /// Targets that stand for something that the vocabulary has not.
  package let unknown: Int

  /// Of all targets, from 0 to 1.
  package var unknownShare: Double { Double(unknown) / Double(targets) }

  package var perplexity: Double { exp(loss) }
  package var bitsPerToken: Double { loss / log(2) }

  package var measurements: [Measurement] {
    [
      Measurement("targets", .count(targets), unit: "tokens", set: set),
      Measurement("loss", .number(loss), unit: "nats per token", set: set),
      tokens == .words
        ? Measurement("perplexity", .number(perplexity), set: set)
        : Measurement("loss", .number(bitsPerToken), unit: "bits per token", set: set),
      Measurement("unknown targets", .count(unknown), unit: "tokens", set: set),
    ]
  }
}
