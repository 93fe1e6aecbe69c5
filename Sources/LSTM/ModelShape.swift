import Kernels

/// Sizes of a model, and where each of its parts stands in the flat memory of parameters and gradients: for tokens the
/// embedding E [V, D]; then W and b of each layer [D + H + 1, 4H]; then Wy and by of the head [H + 1, K].
public struct ModelShape: Equatable, Sendable {
  /// What the model reads at a timestep.
  public enum Input: Equatable, Sendable {
    /// One of V tokens, for which a row of the embedding stands: D numbers.
    case tokens(vocabulary: Int, embedding: Int)
    /// So many numbers (D), as they are.
    case numbers(Int)
  }

  /// What the model says: one of some classes, by a softmax, or numbers.
  public enum Head: Equatable, Sendable {
    /// One of so many classes at every timestep: the next of V tokens, for example.
    case everyStep(classes: Int)
    /// One of K classes for a whole sequence, at its last timestep.
    case lastStep(classes: Int)
    /// So many numbers (K) for a whole sequence, at its last timestep, by their squared error.
    case lastStepNumbers(Int)
  }

  /// What the model reads at a timestep.
  public let input: Input
  /// What the model says.
  public let head: Head
  /// H, hidden units of every layer.
  public let hidden: Int
  /// L, LSTM layers.
  public let layers: Int
  /// The shape of each LSTM layer, lowest first.
  public let lstm: [LSTMShape]
  /// The parts whose gradients are finished one after the other, in memory order: embedding where there is one, layers,
  /// output. The backward pass finishes them from the last to the first.
  public let parts: [Range<Int>]

  /// A model of these sizes, each at least 1.
  public init(input: Input, hidden: Int, layers: Int, head: Head) {
    self.input = input
    self.head = head
    self.hidden = hidden
    self.layers = layers
    let (embedding, inputs): ([Int], Int) =
      switch input {
      case .tokens(let vocabulary, let size): ([vocabulary * size], size)
      case .numbers(let count): ([], count)
      }
    lstm = LSTMShape.stack(inputs: inputs, hidden: hidden, layers: layers)
    let output = OutputLayer.parameterCount(inputs: hidden, classes: head.classes)
    var start = 0
    parts = (embedding + lstm.map(\.parameterCount) + [output]).map { count in
      defer { start += count }
      return start..<start + count
    }
  }

  /// A language model: it reads tokens and says at every timestep which one comes next.
  public static func languageModel(vocabulary: Int, embedding: Int, hidden: Int, layers: Int) -> ModelShape {
    ModelShape(
      input: .tokens(vocabulary: vocabulary, embedding: embedding), hidden: hidden, layers: layers,
      head: .everyStep(classes: vocabulary))
  }

  /// D, numbers that the lowest layer reads at a timestep.
  public var inputs: Int { lstm[0].inputs }

  /// V, tokens that the model can read; nil where it reads numbers.
  public var vocabulary: Int? {
    if case .tokens(let vocabulary, _) = input { vocabulary } else { nil }
  }

  /// V or K, classes of the head.
  public var classes: Int { head.classes }

  /// Where E stands; nil where there is none.
  public var embeddingRange: Range<Int>? { vocabulary == nil ? nil : parts[0] }

  /// The part of a layer, as an index of `parts`.
  public func part(ofLayer layer: Int) -> Int { parts.count - 1 - layers + layer }

  /// Where W and b of a layer stand.
  public func layerRange(_ layer: Int) -> Range<Int> { parts[part(ofLayer: layer)] }

  /// Where Wy and by stand.
  public var outputRange: Range<Int> { parts[parts.count - 1] }

  /// All parameters.
  public var parameterCount: Int { outputRange.upperBound }

  /// Floating-point operations of a training step over T·B rows: 6·T·B·(Σ_layers 4H(D + H) + H·V), forward once and
  /// backward twice. Embedding look-ups and gates count as nothing, and so does a head at the last timestep.
  public func flopsPerStep(timesteps: Int, lanes: Int) -> Double {
    let output =
      switch head {
      case .everyStep(let classes): Double(hidden) * Double(classes)
      case .lastStep, .lastStepNumbers: 0.0
      }
    return LSTMShape.flopsPerStep(lstm, timesteps: timesteps, lanes: lanes)
      + 6 * Double(timesteps) * Double(lanes) * output
  }

  /// Those of `flopsPerStep` that really run, and the head's at the last timestep: numbers that are read get no
  /// gradient, so the products of 2·T·B·4H·D operations that would make it are left out.
  public func flopsThatRun(timesteps: Int, lanes: Int) -> Double {
    let rows = Double(timesteps) * Double(lanes)
    let inputGradient = vocabulary == nil ? 2 * rows * Double(lstm[0].columns) * Double(inputs) : 0
    let head =
      switch head {
      case .everyStep: 0.0
      case .lastStep(let classes), .lastStepNumbers(let classes): 6 * Double(lanes) * Double(hidden) * Double(classes)
      }
    return flopsPerStep(timesteps: timesteps, lanes: lanes) - inputGradient + head
  }
}

extension ModelShape.Head {
  /// V or K.
  public var classes: Int {
    switch self {
    case .everyStep(let classes), .lastStep(let classes), .lastStepNumbers(let classes): classes
    }
  }

  /// Whether the model speaks once a sequence.
  public var isAtLastStep: Bool {
    if case .everyStep = self { false } else { true }
  }

  /// What stands behind the last output of a row: nothing that a softmax would see, or nothing that a sum would.
  var padding: Float {
    if case .lastStepNumbers = self { 0 } else { -.infinity }
  }
}
