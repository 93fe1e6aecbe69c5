/// What is trained, and how.
extension Configuration {
  /// The network.
  package struct Model: Sendable, Equatable {
    /// How weights begin.
    package enum Initialization: String, Sendable, CaseIterable {
      /// Uniform in ±1/√H, or Glorot and Bengio's uniform ±√(6/(inputs + outputs)), gate by gate.
      case uniform, xavier
    }

    /// What the output layer reads of a whole sequence.
    package enum Pooling: String, Sendable, CaseIterable {
      /// The state at its last timestep, the mean over all of them, or the largest of each unit.
      case last, mean, max
    }

    /// How long a mask of dropped numbers lasts.
    package enum DropoutMask: String, Sendable, CaseIterable {
      /// A timestep, or all of a window.
      case timestep, sequence
    }

    /// D, inputs of the first layer for each token.
    package internal(set) var embedding: Int
    /// The file of pretrained word vectors, "" for none.
    package internal(set) var vectors: String
    /// H, hidden units of a layer.
    package internal(set) var hidden: Int
    /// L, LSTM layers.
    package internal(set) var layers: Int
    /// Whether every layer reads sequences from their ends, too.
    package internal(set) var bidirectional: Bool
    /// What the output layer reads of a whole sequence.
    package internal(set) var pooling: Pooling
    /// The share of numbers dropped on connections that are not recurrent.
    package internal(set) var dropout: Double
    /// How long a mask of them lasts.
    package internal(set) var dropoutMask: DropoutMask
    /// The share of recurrent weights dropped in a step.
    package internal(set) var weightDropout: Double
    /// The share of the vocabulary dropped in a step.
    package internal(set) var embeddingDropout: Double
    /// α, the factor of the squared states of the highest layer.
    package internal(set) var activationPenalty: Double
    /// β, the factor of their squared changes.
    package internal(set) var temporalPenalty: Double
    /// Whether the embedding is the matrix of the output too.
    package internal(set) var tied: Bool
    /// Cutoffs of an adaptive softmax with commas between them, "" for one softmax.
    package internal(set) var adaptiveSoftmax: String
    /// What each tail divides the units of the one before by.
    package internal(set) var adaptiveFactor: Int
    /// How weights begin.
    package internal(set) var initialization: Initialization
    /// What the bias of the forget gate begins with.
    package internal(set) var forgetBias: Double
    /// What the biases of the input gate begin with more.
    package internal(set) var inputBias: Double
  }

}

extension Configuration.Model {
  /// The cutoffs as numbers, ascending from 1; none for one softmax; nil where the text is something else.
  package var cutoffs: [Int]? {
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
  package struct Batch: Sendable, Equatable {
    /// B, lanes of the global batch.
    package internal(set) var sequences: Int
    /// T, timesteps of a window; 0 for those of the longest sequence.
    package internal(set) var steps: Int
    /// Deviation of random lengths of windows from T, 0 for none.
    package internal(set) var jitter: Int
    /// S, logical shards: the most ranks.
    package internal(set) var shards: Int
    /// The most passes that a rank makes over its shards in a step.
    package internal(set) var accumulate: Int
    /// Probability that a lane forgets its state before a window.
    package internal(set) var reset: Double
  }

  /// The parameter update.
  package struct Optimizer: Sendable, Equatable {
    /// The rule of the update.
    package enum Name: String, Sendable, CaseIterable {
      /// Kingma and Ba's Adam, the same with decoupled weight decay, gradient descent, RMSProp, LAMB.
      case adam, adamw, sgd, rmsprop, lamb
    }
    /// What of a gradient is limited.
    package enum ClipBy: String, Sendable, CaseIterable {
      /// The global norm; each number.
      case norm, element
    }
    /// From when on the model is the average of the parameters.
    package enum Average: String, Sendable, CaseIterable {
      /// Never, from a step on, when evaluations no longer bring a better loss.
      case never
      case fromStep = "from-step"
      case nonMonotonic = "non-monotonic"
    }

    /// The rule of the update.
    package internal(set) var name: Name
    /// The factor of the update.
    package internal(set) var learningRate: Double
    /// The largest global gradient norm, or number of a gradient, 0 for any.
    package internal(set) var clip: Double
    /// What of a gradient is limited.
    package internal(set) var clipBy: ClipBy
    /// The decay of the mean gradient.
    package internal(set) var beta1: Double
    /// The decay of the mean squared gradient.
    package internal(set) var beta2: Double
    /// What is added to the divisor.
    package internal(set) var epsilon: Double
    /// What is left of the velocity at each update.
    package internal(set) var momentum: Double
    /// Whether the gradient is taken for one at the place where momentum alone would lead.
    package internal(set) var nesterov: Bool
    /// How strongly parameters are drawn to 0.
    package internal(set) var weightDecay: Double
    /// From when on the model is the average of the parameters.
    package internal(set) var average: Average
    /// The step whose parameters are the first of the average.
    package internal(set) var averageFrom: Int
    /// The evaluations before it that the trigger of the average does not compare with.
    package internal(set) var averagePatience: Int
  }

  /// What the learning rate is multiplied by on the way.
  package struct Schedule: Sendable, Equatable {
    /// How the learning rate falls.
    package enum Name: String, Sendable, CaseIterable {
      /// Not at all, in steps, steadily, along half a cosine, where the validation loss stays.
      case constant, step, exponential, cosine, plateau
    }

    /// How the learning rate falls.
    package internal(set) var name: Name
    /// Updates of the warm-up.
    package internal(set) var warmUp: Int
    /// Updates in which it falls by the factor.
    package internal(set) var every: Int
    /// What it is multiplied by.
    package internal(set) var factor: Double
    /// The update at which it begins.
    package internal(set) var begin: Int
    /// The update at which it has fallen.
    package internal(set) var end: Int
    /// Evaluations without a new best loss.
    package internal(set) var patience: Int
    /// The least share of the learning rate.
    package internal(set) var floor: Double
  }
}
