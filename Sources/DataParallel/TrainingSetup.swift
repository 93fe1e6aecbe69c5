import JobHealth
import LSTM
import MPI
import Optimization
import Plan

/// What a training step needs to know, the same on every rank.
package struct TrainingSetup: Sendable {
  /// Sizes of the model.
  package var shape: ModelShape
  /// T, timesteps of a window.
  package var timesteps: Int
  /// Timesteps that are in memory together: those of a window, or of a segment of it, whose forward pass is then
  /// computed again before its backward pass.
  package var segment: Int
  /// B, sequences of the global batch.
  package var globalBatch: Int
  /// S, logical shards of the global batch.
  package var shards: Int
  /// The most passes that a rank makes over its shards in a step.
  package var accumulate: Int
  /// Probability of dropping a number.
  package var dropout: Float
  /// How long a mask of dropped numbers lasts.
  package var dropoutMask = Dropout.Mask.timestep
  /// Probability of dropping a recurrent weight.
  package var weightDropout: Float = 0
  /// Probability of dropping a row of the embedding.
  package var embeddingDropout: Float = 0
  /// What is added to the loss.
  package var penalty = ActivationPenalty()
  /// Names all random streams.
  package var seed: UInt64
  /// The update.
  package var rule: OptimizerRule
  /// How gradients are kept from being too large.
  package var clip: Clipping
  /// What the rule's learning rate is multiplied by.
  package var schedule: Schedule
  /// From when on the model is the average of the parameters.
  package var averaging: Averaging
  /// Evaluations in a row without a new best loss after which the run ends; 0 for no such end.
  package var patience: Int
  /// How gradients are added over ranks.
  package var reduction: ReductionMethod
  /// Whether ranks of a node share memory.
  package var sharedMemory: SharedMemory
  /// Which rows of the embedding's gradient travel between ranks that do not share memory.
  package var embeddingRows: EmbeddingRows

  /// A setup of these values; without `segment` the whole window is in memory.
  package init(
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
  package func claims(ranks: Int) -> [World.Claim] {
    [
      ("the model", "\(shape)"), ("the window", "\(timesteps) timesteps, \(segment) at a time"),
      ("the plan", "\(globalBatch) sequences in \(shards) shards on \(ranks) ranks, at most \(accumulate) passes"),
    ]
  }

  /// Names of what the optimizer keeps beside the parameters, each as large as they are: the rule's moments, and with an
  /// average the parameters that training goes on with, where the model is the average.
  var moments: [String] { rule.moments + (averaging == .never ? [] : ["iterate"]) }

  /// Whether evaluations decide how the training goes on.
  package var dependsOnEvaluations: Bool {
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
