/// Features of a training that meet each other, as settings of `crossing-program`.
enum Feature: String, CaseIterable {
  case rollback, skip
  case dropout, variational, weightDropout, embeddingDropout
  case averageFromStep, averageNonMonotonic
  case stepWithWarmUp, exponential, cosineWithWarmUp, plateau
  case patience, jitter, tied, adaptive, penalties
  case bidirectional, meanPooling, maxPooling
  case clipElement
  case sgd, momentum, adamw, rmsprop, lamb

  var settings: [String] {
    switch self {
    case .rollback: ["rollback=5", "checkpointEvery=3"]
    case .skip: ["skip=4,5,8"]
    case .dropout: ["dropout=0.2"]
    case .variational: ["dropout=0.2", "variational=1"]
    case .weightDropout: ["weightDropout=0.3"]
    case .embeddingDropout: ["embeddingDropout=0.2"]
    case .averageFromStep: ["averageFrom=2"]
    case .averageNonMonotonic: ["averagePatience=1"]
    case .stepWithWarmUp: ["schedule=step", "warmUp=3"]
    case .exponential: ["schedule=exponential"]
    case .cosineWithWarmUp: ["schedule=cosine", "warmUp=2"]
    case .plateau: ["schedule=plateau"]
    case .patience: ["patience=5"]
    case .jitter: ["jitter=2"]
    case .tied: ["tied=1"]
    case .adaptive: ["adaptive=1"]
    case .penalties: ["penalties=1"]
    case .bidirectional: ["bidirectional=1"]
    case .meanPooling: ["pooling=mean"]
    case .maxPooling: ["pooling=max"]
    case .clipElement: ["clipBy=element"]
    case .sgd, .momentum, .adamw, .rmsprop, .lamb: ["optimizer=\(rawValue)"]
    }
  }

  /// Of each of these at most one can be on.
  private static let alternatives: [Set<Feature>] = [
    [.rollback, .skip], [.dropout, .variational], [.averageFromStep, .averageNonMonotonic],
    [.stepWithWarmUp, .exponential, .cosineWithWarmUp, .plateau], [.meanPooling, .maxPooling],
    [.sgd, .momentum, .adamw, .rmsprop, .lamb],
  ]
  /// What makes a head pooled, and what a pooled head cannot have.
  private static let once: Set<Feature> = [.bidirectional, .meanPooling, .maxPooling]
  private static let everyStep: Set<Feature> = [.jitter, .tied, .adaptive, .penalties]

  func goes(with other: Feature) -> Bool {
    let isOnce = Feature.once.contains(self) || Feature.once.contains(other)
    let isEveryStep = Feature.everyStep.contains(self) || Feature.everyStep.contains(other)
    return self != other && !(isOnce && isEveryStep)
      && !Feature.alternatives.contains { $0.contains(self) && $0.contains(other) }
  }
}

/// Who computes a training, and how: none of it changes a bit.
enum Distribution: String, CaseIterable {
  case messages, dense, accumulate, recompute, paranoid

  var setting: String {
    switch self {
    case .accumulate: "accumulate=2"
    case .recompute: "recompute=3"
    default: "\(rawValue)=1"
    }
  }

  /// Paranoid ranks take the fault for what it is: parameters that no update has written.
  func goes(with feature: Feature) -> Bool {
    switch self {
    case .recompute: feature != .bidirectional && feature != .jitter
    case .paranoid: feature != .rollback && feature != .skip
    case .messages, .dense, .accumulate: true
    }
  }
}

/// Two features of one training, and how it is distributed: first on three ranks, then from `stop` on on two.
struct Crossing: CustomStringConvertible {
  let features: [Feature]
  /// Of the first job and of the second.
  let distributions: [[Distribution]]
  let stop: Int

  var name: String { features.map(\.rawValue).joined(separator: "-") }
  var description: String { name }
  func has(_ feature: Feature) -> Bool { features.contains(feature) }

  /// All pairs that go together.
  static let all: [Crossing] = Feature.allCases.enumerated().flatMap { index, one in
    Feature.allCases[(index + 1)...].filter { one.goes(with: $0) }.map { [one, $0] }
  }.enumerated().map { Crossing($1, number: $0) }

  private init(_ features: [Feature], number: Int) {
    self.features = features
    // Every feature is in some twenty pairs, and so meets every distribution.
    distributions = [number * 13, number * 13 + 7].map { bits in
      Distribution.allCases.enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element)
        .filter { distribution in features.allSatisfy(distribution.goes) }
    }
    // What is a checkpoint of both runs, so that a rollback leads to the same one.
    stop = features.contains(.rollback) ? 3 + 3 * (number % 2) : 2 + number % 9
  }

  private var common: [String] { features.flatMap(\.settings) }

  /// One process, all at once; in place of a rollback the same windows with half the learning rate.
  var plain: String {
    let settings = common.filter { !$0.hasPrefix("rollback=") && !$0.hasPrefix("checkpointEvery=") }
    return ([name] + settings + (has(.rollback) ? ["halvedAfter=3"] : [])).joined(separator: " ")
  }

  /// On three ranks.
  var first: String { ([name] + common + distributions[0].map(\.setting) + ["steps=\(stop)"]).joined(separator: " ") }

  /// Later on two.
  var second: String { ([name] + common + distributions[1].map(\.setting)).joined(separator: " ") }
}
