extension Configuration {
  /// When checkpoints are written but at certain steps, and which are kept.
  package struct Checkpoint: Sendable, Equatable {
    package internal(set) var interval = 0
    package internal(set) var overhead = 0.0
    package internal(set) var keepLast = 0
    package internal(set) var keepBest = false
    package internal(set) var keepEvery = 0

    static let keys: [ConfigurationKey] = [
      .init(
        "checkpoint.interval", \.checkpoint.interval, .duration,
        .derived("10m, 0 where checkpoint.overhead is given") { $0.checkpoint.overhead > 0 ? "0" : "600" },
        mayChangeOnResume: true,
        "Time from one checkpoint to the next, such as 10m; the first of a job comes after a minute at the latest. 0 for "
          + "none by the clock."),
      .init(
        "checkpoint.overhead", \.checkpoint.overhead, .share(0...0.5), .always("0"), mayChangeOnResume: true,
        "The share of the time that checkpoints may cost, such as 2%: their cost is measured, and the time between two of "
          + "them follows from it; the first of a job comes after a minute at the latest. 0 for none."
      ).explained(
        "The time between two is at least 10 seconds."),
      .init(
        "checkpoint.keepLast", \.checkpoint.keepLast, .integer(0...1_000_000), .always("3"), mayChangeOnResume: true,
        "How many of the newest checkpoints are kept; an older one is removed when a newer one stands and has been read "
          + "back. 0 keeps all."),
      .init(
        "checkpoint.keepBest", \.checkpoint.keepBest, .flag, .always("true"), mayChangeOnResume: true,
        "The checkpoint with the lowest validation loss is kept, of those at whose step there was an evaluation."),
      .init(
        "checkpoint.keepEvery", \.checkpoint.keepEvery, .integer(0...1_000_000_000), .always("0"),
        mayChangeOnResume: true,
        "The first checkpoint from each multiple of this many updates on is kept; 0 keeps none for that reason."),
    ]
  }
}
