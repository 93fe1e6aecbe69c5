extension Configuration {
  /// The length of the run and what happens on the way.
  package struct Training: Sendable, Equatable {
    /// How much of a window is in memory at once.
    package enum Recompute: Sendable, Equatable {
      /// All of it; segments of about the square root of its timesteps; segments of this many timesteps.
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

    package internal(set) var steps = 0
    package internal(set) var evaluateEvery = 0
    package internal(set) var checkpointEvery = 0
    package internal(set) var timeLimit = 0
    package internal(set) var recompute = Recompute.off
    package internal(set) var patience = 0

    static let keys: [ConfigurationKey] = [
      .init(
        "training.steps", \.training.steps, .integer(1...1_000_000_000), .byTask("2000"), mayChangeOnResume: true,
        "Parameter updates in total, counted from the start of the run."),
      .init(
        "training.evaluateEvery", \.training.evaluateEvery, .integer(0...1_000_000_000), .byTask("250"),
        mayChangeOnResume: true,
        "Updates between two evaluations; 0 evaluates at the end only."),
      .init(
        "training.checkpointEvery", \.training.checkpointEvery, .integer(0...1_000_000_000),
        .derived("training.evaluateEvery, 0 where checkpoint.interval or checkpoint.overhead is given") {
          $0.checkpoint.interval > 0 || $0.checkpoint.overhead > 0 ? "0" : String($0.training.evaluateEvery)
        },
        mayChangeOnResume: true,
        "Updates between two checkpoints; 0 writes one at the end only, but for those by the clock."),
      .init(
        "training.timeLimit", \.training.timeLimit, .duration, .always("0"), mayChangeOnResume: true,
        "A job stops with a checkpoint and exit code 75 before it has run for so long, such as 90m; 0 for no limit."),
      .init(
        "training.recompute", \.training.recompute, .recompute, .always("off"), mayChangeOnResume: true,
        "Long windows in little memory: of a window's timesteps only a segment is in memory at once, of this many timesteps "
          + "or (auto) of about the square root of them, and its forward pass is computed again before its backward pass. "
          + "Back-propagation still goes through all of the window; the same bits."
      ).explained(
        "See [How it works](../README.md#how-it-works)."),
      .init(
        "training.patience", \.training.patience, .integer(0...1_000_000), .always("0"), mayChangeOnResume: true,
        "Evaluations in a row without a new best loss after which the run is complete before its last step; 0 for no such "
          + "end."),
    ]
  }
}

extension ValueType<Configuration.Training.Recompute> {
  fileprivate static let recompute = Self(
    expected: "off, auto, or an integer from 1 to 131072", examples: ["off", "auto", "7"],
    text: {
      switch $0 {
      case .off: "off"
      case .auto: "auto"
      case .segments(let timesteps): String(timesteps)
      }
    },
    read: {
      switch $0.text {
      case "off": .off
      case "auto": .auto
      default: $0.integer(Int.self).flatMap { (1...131_072).contains($0) ? .segments($0) : nil }
      }
    })
}
