/// What is trained, and how.
extension Configuration {
  /// The network.
  public struct Model: Sendable, Equatable {
    /// How weights begin.
    public enum Initialization: String, Sendable, CaseIterable {
      /// Uniform in ±1/√H, or Glorot and Bengio's uniform ±√(6/(inputs + outputs)), gate by gate.
      case uniform, xavier
    }

    /// How long a mask of dropped numbers lasts.
    public enum DropoutMask: String, Sendable, CaseIterable {
      /// A timestep, or all of a window.
      case timestep, sequence
    }

    /// D, inputs of the first layer for each token.
    public internal(set) var embedding: Int
    /// H, hidden units of a layer.
    public internal(set) var hidden: Int
    /// L, LSTM layers.
    public internal(set) var layers: Int
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
    /// How weights begin.
    public internal(set) var initialization: Initialization
    /// What the bias of the forget gate begins with.
    public internal(set) var forgetBias: Double
  }

  /// The global batch.
  public struct Batch: Sendable, Equatable {
    /// B, lanes of the global batch.
    public internal(set) var sequences: Int
    /// T, timesteps of a window; 0 for those of the longest sequence.
    public internal(set) var steps: Int
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
      /// Kingma and Ba's Adam, or plain gradient descent.
      case adam, sgd
    }

    /// The rule of the update.
    public internal(set) var name: Name
    /// The factor of the update.
    public internal(set) var learningRate: Double
    /// The largest global gradient norm, 0 for any.
    public internal(set) var clip: Double
    /// Adam's decay of the mean gradient.
    public internal(set) var beta1: Double
    /// Adam's decay of the mean squared gradient.
    public internal(set) var beta2: Double
    /// What Adam adds to its divisor.
    public internal(set) var epsilon: Double
  }
}
