/// What happens on the way.
extension Configuration {
  /// The length of the run and what happens on the way.
  public struct Training: Sendable, Equatable {
    /// How much of a window is in memory at once.
    public enum Recompute: Sendable, Equatable {
      /// All of it; segments of about the square root of its timesteps; segments of so many timesteps.
      case off, auto
      case segments(Int)

      /// Timesteps of a segment of a window.
      public func segment(of timesteps: Int) -> Int {
        switch self {
        case .off: timesteps
        case .auto: Int(Double(timesteps).squareRoot().rounded(.up))
        case .segments(let count): min(count, timesteps)
        }
      }
    }

    /// Parameter updates, counted from the start of the run.
    public internal(set) var steps: Int
    /// Updates between two evaluations, 0 for one at the end only.
    public internal(set) var evaluateEvery: Int
    /// Updates between two checkpoints, 0 for one at the end only.
    public internal(set) var checkpointEvery: Int
    /// Seconds from the start of a job to its end, 0 for any.
    public internal(set) var timeLimit: Int
    /// How much of a window is in memory at once.
    public internal(set) var recompute: Recompute
    /// Evaluations in a row without a new best loss after which the run ends, 0 for no such end.
    public internal(set) var patience: Int
  }

  /// When checkpoints are written but at certain steps, and which are kept.
  public struct Checkpoint: Sendable, Equatable {
    /// Seconds from one to the next, 0 for none by the clock.
    public internal(set) var interval: Int
    /// The share of the time that they may cost, 0 for none by their cost.
    public internal(set) var overhead: Double
    /// How many of the newest are kept, 0 for all.
    public internal(set) var keepLast: Int
    /// Whether the one with the lowest validation loss is kept.
    public internal(set) var keepBest: Bool
    /// From each multiple of so many steps on the first one is kept, 0 for none.
    public internal(set) var keepEvery: Int
  }

  /// What is done about a loss or gradient that is not finite.
  public struct NonFinite: Sendable, Equatable {
    /// What follows such a step.
    public enum Policy: String, Sendable, CaseIterable {
      /// The run stops; it goes on with the next step; it goes back to its newest checkpoint.
      case stop, skip, rollback
    }

    /// What follows such a step.
    public internal(set) var policy: Policy
    /// The most steps skipped in a row.
    public internal(set) var skips: Int
    /// The most rollbacks of a run.
    public internal(set) var rollbacks: Int
    /// What each rollback multiplies the learning rate by.
    public internal(set) var learningRateFactor: Double
    /// The most dumps of a run.
    public internal(set) var dumps: Int
  }

  /// What watches over the ranks.
  public struct Watchdog: Sendable, Equatable {
    /// Seconds without a sign of life after which a rank counts as lost, 0 for never.
    public internal(set) var seconds: Int
  }

  /// How ranks work together.
  public struct Distributed: Sendable, Equatable {
    /// How gradients are added over ranks.
    public enum Reduction: String, Sendable, CaseIterable {
      /// In tree order, the same bits for any number of ranks; or by MPI's all-reduce, in an order of its own.
      case reproducible, mpi
    }

    /// Whether ranks of one node share one copy of the parameters.
    public enum SharedMemory: String, Sendable, CaseIterable {
      /// Where it is possible; it must be; never.
      case auto, on, off
    }

    /// Which rows of the embedding's gradient travel.
    public enum Embedding: String, Sendable, CaseIterable {
      /// Those that some rank has seen, or all.
      case sparse, dense
    }

    /// How gradients are added over ranks.
    public internal(set) var reduction: Reduction
    /// Whether ranks of one node share one copy of the parameters.
    public internal(set) var sharedMemory: SharedMemory
    /// Which rows of the embedding's gradient travel.
    public internal(set) var embedding: Embedding
  }

  /// What a run proves of itself.
  public struct Verify: Sendable, Equatable {
    /// Updates between two records of the parameters' hashes, 0 for none.
    public internal(set) var every: Int
  }
}
