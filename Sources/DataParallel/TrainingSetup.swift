import JobHealth
import LSTM
import MPI
import Optimization
import Reduction

/// What a training step needs to know, the same on every rank.
public struct TrainingSetup: Sendable {
  /// Sizes of the model.
  public var shape: ModelShape
  /// T, timesteps of a window.
  public var timesteps: Int
  /// Timesteps that are in memory together: those of a window, or of a segment of it, whose forward pass is then
  /// computed again before its backward pass.
  public var segment: Int
  /// B, sequences of the global batch.
  public var globalBatch: Int
  /// S, logical shards of the global batch.
  public var shards: Int
  /// The most passes that a rank makes over its shards in a step.
  public var accumulate: Int
  /// Probability of dropping a number.
  public var dropout: Float
  /// How long a mask of dropped numbers lasts.
  public var dropoutMask = Dropout.Mask.timestep
  /// Probability of dropping a recurrent weight.
  public var weightDropout: Float = 0
  /// Probability of dropping a row of the embedding.
  public var embeddingDropout: Float = 0
  /// What is added to the loss.
  public var penalty = ActivationPenalty()
  /// Names all random streams.
  public var seed: UInt64
  /// The update.
  public var rule: OptimizerRule
  /// How gradients are kept from being too large.
  public var clip: Clipping
  /// What the rule's learning rate is multiplied by.
  public var schedule: Schedule
  /// From when on the model is the average of the parameters.
  public var averaging: Averaging
  /// Evaluations in a row without a new best loss after which the run ends; 0 for no such end.
  public var patience: Int
  /// How gradients are added over ranks.
  public var reduction: ReductionMethod
  /// Whether ranks of a node share memory.
  public var sharedMemory: SharedMemory
  /// Which rows of the embedding's gradient travel between ranks that do not share memory.
  public var embeddingRows: EmbeddingRows

  /// A setup of these values; without `segment` the whole window is in memory.
  public init(
    shape: ModelShape, timesteps: Int, segment: Int? = nil, globalBatch: Int, shards: Int, accumulate: Int = 1,
    dropout: Float, seed: UInt64, rule: OptimizerRule, clip: Clipping, schedule: Schedule = .constant,
    averaging: Averaging = .never, patience: Int = 0, reduction: ReductionMethod, sharedMemory: SharedMemory = .auto,
    embeddingRows: EmbeddingRows = .sparse
  ) {
    self.shape = shape
    self.timesteps = timesteps
    self.segment = segment ?? timesteps
    self.globalBatch = globalBatch
    self.shards = shards
    self.accumulate = accumulate
    self.dropout = dropout
    self.seed = seed
    self.rule = rule
    self.clip = clip
    self.schedule = schedule
    self.averaging = averaging
    self.patience = patience
    self.reduction = reduction
    self.sharedMemory = sharedMemory
    self.embeddingRows = embeddingRows
  }

  /// What follows from the data, and who computes what: on `ranks` ranks all must have the same.
  public func claims(ranks: Int) -> [World.Claim] {
    [
      ("the model", "\(shape)"), ("the window", "\(timesteps) timesteps, \(segment) at a time"),
      ("the plan", "\(globalBatch) sequences in \(shards) shards on \(ranks) ranks, at most \(accumulate) passes"),
    ]
  }

  /// Names of what the optimizer keeps beside the parameters, each as large as they are: the rule's moments, and with an
  /// average the parameters that training goes on with, where the model is the average.
  var moments: [String] { rule.moments + (averaging == .never ? [] : ["iterate"]) }

  /// Whether evaluations decide how the training goes on.
  public var dependsOnEvaluations: Bool {
    if case .nonMonotonic = averaging { return true }
    return schedule.dependsOnEvaluations || patience > 0
  }
}

extension Dropout {
  /// All that is dropped.
  init(_ setup: TrainingSetup) {
    self.init(
      rate: setup.dropout, mask: setup.dropoutMask, weightRate: setup.weightDropout,
      embeddingRate: setup.embeddingDropout, seed: setup.seed)
  }
}
