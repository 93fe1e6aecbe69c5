/// What is trained, and how.
extension Configuration {
  /// The network.
  public struct Model: Sendable, Equatable {
    /// How weights begin.
    public enum Initialization: String, Sendable, CaseIterable {
      /// Uniform in ±1/√H, or Glorot and Bengio's uniform ±√(6/(inputs + outputs)), gate by gate.
      case uniform, xavier
    }

    /// What the output layer reads of a whole sequence.
    public enum Pooling: String, Sendable, CaseIterable {
      /// The state at its last timestep, the mean over all of them, or the largest of each unit.
      case last, mean, max
    }

    /// How long a mask of dropped numbers lasts.
    public enum DropoutMask: String, Sendable, CaseIterable {
      /// A timestep, or all of a window.
      case timestep, sequence
    }

    /// D, inputs of the first layer for each token.
    public internal(set) var embedding: Int
    /// The file of pretrained word vectors, "" for none.
    public internal(set) var vectors: String
    /// H, hidden units of a layer.
    public internal(set) var hidden: Int
    /// L, LSTM layers.
    public internal(set) var layers: Int
    /// Whether every layer reads sequences from their ends, too.
    public internal(set) var bidirectional: Bool
    /// What the output layer reads of a whole sequence.
    public internal(set) var pooling: Pooling
    /// The share of numbers dropped on connections that are not recurrent.
    public internal(set) var dropout: Double
    /// How long a mask of them lasts.
    public internal(set) var dropoutMask: DropoutMask
    /// The share of recurrent weights dropped in a step.
    public internal(set) var weightDropout: Double
    /// The share of the vocabulary dropped in a step.
    public internal(set) var embeddingDropout: Double
    /// α, the factor of the squared states of the highest layer.
    public internal(set) var activationPenalty: Double
    /// β, the factor of their squared changes.
    public internal(set) var temporalPenalty: Double
    /// Whether the embedding is the matrix of the output too.
    public internal(set) var tied: Bool
    /// Cutoffs of an adaptive softmax with commas between them, "" for one softmax.
    public internal(set) var adaptiveSoftmax: String
    /// What each tail divides the units of the one before by.
    public internal(set) var adaptiveFactor: Int
    /// How weights begin.
    public internal(set) var initialization: Initialization
    /// What the bias of the forget gate begins with.
    public internal(set) var forgetBias: Double
    /// What the biases of the input gate begin with more.
    public internal(set) var inputBias: Double
  }

}

extension Configuration.Model {
  /// The cutoffs as numbers, ascending from 1; none for one softmax; nil where the text is something else.
  public var cutoffs: [Int]? {
    let numbers = adaptiveSoftmax.split(separator: ",", omittingEmptySubsequences: false)
      .map { Int($0.trimmingPrefix(while: { $0 == " " })) }
    if adaptiveSoftmax.isEmpty { return [] }
    guard !numbers.contains(nil), numbers[0]! >= 1, zip(numbers, numbers.dropFirst()).allSatisfy({ $0! < $1! }) else {
      return nil
    }
    return numbers.compactMap(\.self)
  }
}

extension Configuration {
  /// The global batch.
  public struct Batch: Sendable, Equatable {
    /// B, lanes of the global batch.
    public internal(set) var sequences: Int
    /// T, timesteps of a window; 0 for those of the longest sequence.
    public internal(set) var steps: Int
    /// Deviation of random lengths of windows from T, 0 for none.
    public internal(set) var jitter: Int
    /// S, logical shards: the most ranks.
    public internal(set) var shards: Int
    /// The most passes that a rank makes over its shards in a step.
    public internal(set) var accumulate: Int
    /// Probability that a lane forgets its state before a window.
    public internal(set) var reset: Double
  }

  /// The parameter update.
  public struct Optimizer: Sendable, Equatable {
    /// The rule of the update.
    public enum Name: String, Sendable, CaseIterable {
      /// Kingma and Ba's Adam, the same with decoupled weight decay, gradient descent, RMSProp, LAMB.
      case adam, adamw, sgd, rmsprop, lamb
    }
    /// What of a gradient is limited.
    public enum ClipBy: String, Sendable, CaseIterable {
      /// The global norm; each number.
      case norm, element
    }
    /// From when on the model is the average of the parameters.
    public enum Average: String, Sendable, CaseIterable {
      /// Never, from a step on, when evaluations no longer bring a better loss.
      case never
      case fromStep = "from-step"
      case nonMonotonic = "non-monotonic"
    }

    /// The rule of the update.
    public internal(set) var name: Name
    /// The factor of the update.
    public internal(set) var learningRate: Double
    /// The largest global gradient norm, or number of a gradient, 0 for any.
    public internal(set) var clip: Double
    /// What of a gradient is limited.
    public internal(set) var clipBy: ClipBy
    /// The decay of the mean gradient.
    public internal(set) var beta1: Double
    /// The decay of the mean squared gradient.
    public internal(set) var beta2: Double
    /// What is added to the divisor.
    public internal(set) var epsilon: Double
    /// What is left of the velocity at each update.
    public internal(set) var momentum: Double
    /// Whether the gradient is taken for one at the place where momentum alone would lead.
    public internal(set) var nesterov: Bool
    /// How strongly parameters are drawn to 0.
    public internal(set) var weightDecay: Double
    /// From when on the model is the average of the parameters.
    public internal(set) var average: Average
    /// The step whose parameters are the first of the average.
    public internal(set) var averageFrom: Int
    /// The evaluations before it that the trigger of the average does not compare with.
    public internal(set) var averagePatience: Int
  }

  /// What the learning rate is multiplied by on the way.
  public struct Schedule: Sendable, Equatable {
    /// How the learning rate falls.
    public enum Name: String, Sendable, CaseIterable {
      /// Not at all, in steps, steadily, along half a cosine, where the validation loss stays.
      case constant, step, exponential, cosine, plateau
    }

    /// How the learning rate falls.
    public internal(set) var name: Name
    /// Updates of the warm-up.
    public internal(set) var warmUp: Int
    /// Updates in which it falls by the factor.
    public internal(set) var every: Int
    /// What it is multiplied by.
    public internal(set) var factor: Double
    /// The update at which it begins.
    public internal(set) var begin: Int
    /// The update at which it has fallen.
    public internal(set) var end: Int
    /// Evaluations without a new best loss.
    public internal(set) var patience: Int
    /// The least share of the learning rate.
    public internal(set) var floor: Double
  }
}
