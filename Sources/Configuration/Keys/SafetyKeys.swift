extension Configuration {
  /// What watches over the ranks.
  package struct Watchdog: Sendable, Equatable {
    package internal(set) var seconds = 0

    static let keys: [ConfigurationKey] = [
      .init(
        "watchdog.seconds", \.watchdog.seconds, .integer(0...1_000_000), .always("60"), mayChangeOnResume: true,
        "The job ends with exit code 77 when a rank gives no sign of life for so long, or ten times as long lives but "
          + "does not get on; 0 waits for ever.")
    ]
  }

  /// What a run proves of itself.
  package struct Verify: Sendable, Equatable {
    package internal(set) var every = 0

    static let keys: [ConfigurationKey] = [
      .init(
        "verify.every", \.verify.every, .integer(0...1_000_000_000), .always("100"), mayChangeOnResume: true,
        "Updates between two records of the parameters' hashes in metrics.jsonl, which lstm-dist verify compares; 0 "
          + "records none.")
    ]
  }

  static let paranoidKeys: [ConfigurationKey] = [
    .init(
      "paranoid", \.paranoid, .flag, .always("false"), mayChangeOnResume: true,
      "Every verify.every updates all ranks must agree on configuration, data, plan, step, order of reductions and "
        + "parameters; and before each update a rank's parameters must be as the last update left them.")
  ]
}
