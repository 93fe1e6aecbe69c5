import Kernels

/// Sizes of a language model, and where each of its parts stands in the flat memory of parameters and gradients:
/// embedding E [V, D], then W and b of each layer [D + H + 1, 4H], then Wy and by [H + 1, V].
public struct LanguageModelShape: Equatable, Sendable {
  /// V, tokens.
  public let vocabulary: Int
  /// D, numbers that stand for a token.
  public let embedding: Int
  /// H, hidden units of every layer.
  public let hidden: Int
  /// L, LSTM layers.
  public let layers: Int
  /// The shape of each LSTM layer, lowest first.
  public let lstm: [LSTMShape]
  /// The parts whose gradients are finished one after the other, in memory order: embedding, layers, output. The backward
  /// pass finishes them from the last to the first.
  public let parts: [Range<Int>]

  /// A model of these sizes, each at least 1.
  public init(vocabulary: Int, embedding: Int, hidden: Int, layers: Int) {
    self.vocabulary = vocabulary
    self.embedding = embedding
    self.hidden = hidden
    self.layers = layers
    lstm = LSTMShape.stack(inputs: embedding, hidden: hidden, layers: layers)
    let counts =
      [vocabulary * embedding] + lstm.map(\.parameterCount)
      + [OutputLayer.parameterCount(inputs: hidden, vocabulary: vocabulary)]
    var start = 0
    parts = counts.map { count in
      defer { start += count }
      return start..<start + count
    }
  }

  /// Where E stands.
  public var embeddingRange: Range<Int> { parts[0] }

  /// Where W and b of a layer stand.
  public func layerRange(_ layer: Int) -> Range<Int> { parts[1 + layer] }

  /// Where Wy and by stand.
  public var outputRange: Range<Int> { parts[1 + layers] }

  /// All parameters.
  public var parameterCount: Int { outputRange.upperBound }

  /// Floating-point operations of a training step over T·B rows: 6·T·B·(Σ_layers 4H(D + H) + H·V), forward once and
  /// backward twice, embedding look-ups and gates counted as nothing.
  public func flopsPerStep(timesteps: Int, lanes: Int) -> Double {
    let products = lstm.reduce(0.0) { $0 + Double($1.columns) * Double($1.inputs + $1.hidden) }
    return 6 * Double(timesteps) * Double(lanes) * (products + Double(hidden) * Double(vocabulary))
  }
}
