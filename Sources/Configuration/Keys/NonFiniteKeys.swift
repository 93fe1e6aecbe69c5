extension Configuration {
  /// What is done about a loss or gradient that is not finite.
  package struct NonFinite: Sendable, Equatable {
    /// What follows such a step.
    package enum Policy: String, Sendable, CaseIterable {
      /// The run stops; it goes on with the next step; it goes back to its newest checkpoint.
      case stop, skip, rollback
    }

    package internal(set) var policy = Policy.stop
    package internal(set) var skips = 0
    package internal(set) var rollbacks = 0
    package internal(set) var learningRateFactor = 0.0
    package internal(set) var dumps = 0

    static let keys: [ConfigurationKey] = [
      .init(
        "nonFinite.policy", \.nonFinite.policy, .choice, .always("stop"), mayChangeOnResume: true,
        "What follows a step whose loss or gradient is infinite or NaN, and which therefore changes no parameter: the run "
          + "stops with exit code 76, goes on with the next step (skip), or goes back to its newest checkpoint and on with "
          + "a lower learning rate (rollback)."
      ).explained(
        "After a skipped step the run is as though the batch had not been there."),
      .init(
        "nonFinite.skips", \.nonFinite.skips, .integer(1...1_000_000_000), .always("10"), mayChangeOnResume: true,
        "The most steps that skip passes over in a row; one more ends the run."),
      .init(
        "nonFinite.rollbacks", \.nonFinite.rollbacks, .integer(1...1_000_000_000), .always("3"),
        mayChangeOnResume: true,
        "The most rollbacks of a run; one more ends it."),
      .init(
        "nonFinite.learningRateFactor", \.nonFinite.learningRateFactor, .number(1e-6...1), .always("0.5"),
        mayChangeOnResume: true, "What each rollback multiplies the learning rate by, for all steps from there on."),
      .init(
        "nonFinite.dumps", \.nonFinite.dumps, .integer(0...1_000_000), .always("3"), mayChangeOnResume: true,
        "The most steps that were not finite of which a run keeps parameters and batch, for lstm-dist replay; 0 keeps "
          + "none."),
    ]
  }
}
