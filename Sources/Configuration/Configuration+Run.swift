/// What happens on the way.
extension Configuration {
  /// The length of the run and what happens on the way.
  package struct Training: Sendable, Equatable {
    /// How much of a window is in memory at once.
    package enum Recompute: Sendable, Equatable {
      /// All of it; segments of about the square root of its timesteps; segments of so many timesteps.
      case off, auto
      case segments(Int)

      /// Timesteps of a segment of a window.
      package func segment(of timesteps: Int) -> Int {
        switch self {
        case .off: timesteps
        case .auto: Int(Double(timesteps).squareRoot().rounded(.up))
        case .segments(let count): min(count, timesteps)
        }
      }
    }

    /// Parameter updates, counted from the start of the run.
    package internal(set) var steps: Int
    /// Updates between two evaluations, 0 for one at the end only.
    package internal(set) var evaluateEvery: Int
    /// Updates between two checkpoints, 0 for one at the end only.
    package internal(set) var checkpointEvery: Int
    /// Seconds from the start of a job to its end, 0 for any.
    package internal(set) var timeLimit: Int
    /// How much of a window is in memory at once.
    package internal(set) var recompute: Recompute
    /// Evaluations in a row without a new best loss after which the run ends, 0 for no such end.
    package internal(set) var patience: Int
  }

  /// When checkpoints are written but at certain steps, and which are kept.
  package struct Checkpoint: Sendable, Equatable {
    /// Seconds from one to the next, 0 for none by the clock.
    package internal(set) var interval: Int
    /// The share of the time that they may cost, 0 for none by their cost.
    package internal(set) var overhead: Double
    /// How many of the newest are kept, 0 for all.
    package internal(set) var keepLast: Int
    /// Whether the one with the lowest validation loss is kept.
    package internal(set) var keepBest: Bool
    /// From each multiple of so many steps on the first one is kept, 0 for none.
    package internal(set) var keepEvery: Int
  }

  /// What is done about a loss or gradient that is not finite.
  package struct NonFinite: Sendable, Equatable {
    /// What follows such a step.
    package enum Policy: String, Sendable, CaseIterable {
      /// The run stops; it goes on with the next step; it goes back to its newest checkpoint.
      case stop, skip, rollback
    }

    /// What follows such a step.
    package internal(set) var policy: Policy
    /// The most steps skipped in a row.
    package internal(set) var skips: Int
    /// The most rollbacks of a run.
    package internal(set) var rollbacks: Int
    /// What each rollback multiplies the learning rate by.
    package internal(set) var learningRateFactor: Double
    /// The most dumps of a run.
    package internal(set) var dumps: Int
  }

  /// What watches over the ranks.
  package struct Watchdog: Sendable, Equatable {
    /// Seconds without a sign of life after which a rank counts as lost, 0 for never.
    package internal(set) var seconds: Int
  }

  /// How ranks work together.
  package struct Distributed: Sendable, Equatable {
    /// How gradients are added over ranks.
    package enum Reduction: String, Sendable, CaseIterable {
      /// In tree order, the same bits for any number of ranks; or by MPI's all-reduce, in an order of its own.
      case reproducible, mpi
    }

    /// Whether ranks of one node share one copy of the parameters.
    package enum SharedMemory: String, Sendable, CaseIterable {
      /// Where it is possible; it must be; never.
      case auto, on, off
    }

    /// Which rows of the embedding's gradient travel.
    package enum Embedding: String, Sendable, CaseIterable {
      /// Those that some rank has seen, or all.
      case sparse, dense
    }

    /// How gradients are added over ranks.
    package internal(set) var reduction: Reduction
    /// Whether ranks of one node share one copy of the parameters.
    package internal(set) var sharedMemory: SharedMemory
    /// Which rows of the embedding's gradient travel.
    package internal(set) var embedding: Embedding
  }

  /// What a run proves of itself.
  package struct Verify: Sendable, Equatable {
    /// Updates between two records of the parameters' hashes, 0 for none.
    package internal(set) var every: Int
  }
}
