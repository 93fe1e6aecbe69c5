import DataParallel
import Sequences

/// How a saved model is evaluated.
package struct EvaluationPlan {
  /// T of the windows.
  package let timesteps: Int
  /// What was read.
  package var account = DataAccount()
  /// What ranks must agree on before they measure; nil where each rank has the same data anyway.
  package var identity: DataIdentity?
  /// What the model comes to. Every rank calls it and gets the same.
  package let measure: (_ model: any EvaluatedModel) throws -> any TaskResult
}

/// How a saved model predicts new sequences.
package struct PredictionPlan {
  /// T of the windows.
  package let timesteps: Int
  /// What was read.
  package var account = DataAccount()
  /// A prediction for each sequence, in their order. Every rank calls it and gets the same.
  package let predict: (_ model: any EvaluatedModel) throws -> [any Prediction]
}

/// What a model predicts for one sequence; its members are those of the JSON object.
package protocol Prediction: Encodable, Sendable {}

/// How sequences are drawn.
package struct SamplingOptions: Sendable {
  /// Text to go on from; nil for the usual beginning, which is not shown.
  package var prompt: String?
  /// Tokens, or strings of a grammar; nil for the usual number.
  package var length: Int?
  /// Divides the logits, at least 0.
  package var temperature: Double
  package var limits: SamplingLimits

  package init(
    prompt: String? = nil, length: Int? = nil, temperature: Double = 1, limits: SamplingLimits = .none
  ) {
    (self.prompt, self.length, self.temperature, self.limits) = (prompt, length, temperature, limits)
  }
}

/// Sequences to be drawn from a saved model.
package struct SamplingPlan {
  /// Tokens of the prompt, and how many of them the model does not know.
  package var promptTokens = 0
  package var unknownPromptTokens = 0
  /// Draws the sequences one after the other from a sampler at rest. One rank calls it.
  package let draw: (_ sampler: Sampler, _ show: (SampledSequence) -> Void) -> Void
}

/// One sequence that was drawn.
package struct SampledSequence: Equatable, Sendable {
  package let text: String
  /// Whether a grammar allows it; nil where there is none.
  package var isLegal: Bool?
}
