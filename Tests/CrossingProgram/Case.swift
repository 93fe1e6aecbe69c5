import ExactMath
import LSTM
import Optimization
import Sequences
import TestSupport

/// A training as one line of text has it: a name, then settings `key=value`. What is not set is the plain thing.
struct Case {
  let name: String
  private let values: [String: String]

  init(_ line: Substring) {
    let words = line.split(separator: " ")
    name = String(words[0])
    values = Dictionary(
      words.dropFirst().map { word in
        let equals = word.firstIndex(of: "=")!
        return (String(word[..<equals]), String(word[word.index(after: equals)...]))
      }, uniquingKeysWith: { $1 })
  }

  func text(_ key: String, _ fallback: String) -> String { values[key] ?? fallback }
  func int(_ key: String, _ fallback: Int) -> Int { values[key].map { Int($0)! } ?? fallback }
  func double(_ key: String, _ fallback: Double) -> Double { values[key].map { Double($0)! } ?? fallback }
  func has(_ key: String) -> Bool { values[key] != nil }
  /// Integers with commas between them; none where the key is not set.
  func list(_ key: String) -> [Int] { values[key].map { $0.split(separator: ",").map { Int($0)! } } ?? [] }
}

// MARK: The model and its data

extension Case {
  static let vocabulary = 13

  /// Whether the model predicts one class for a whole sequence.
  var isPooled: Bool { has("pooling") || has("bidirectional") }

  var shape: ModelShape {
    let (hidden, isTied) = (int("hidden", 8), has("tied"))
    let input = ModelShape.Input.tokens(
      vocabulary: Case.vocabulary, embedding: isTied ? hidden : int("embedding", 5))
    return ModelShape(
      input: input, hidden: hidden, layers: int("layers", 2), isBidirectional: has("bidirectional"),
      head: isPooled ? .pooled(classes: 3) : .everyStep(classes: Case.vocabulary),
      pooling: Pooling(rawValue: text("pooling", "last"))!,
      softmax: has("adaptive") ? (cutoffs: [5, 9], factor: isTied ? 1 : 2) : nil, isTied: isTied)
  }

  /// B and T.
  static let (sequences, timesteps) = (6, 8)

  func source() throws -> any SequenceSource {
    if isPooled { return LabelledTokens(seed: 3) }
    return try TokenStream(
      tokens: Case.text(count: 330, seed: 1), globalBatch: Case.sequences, timesteps: Case.timesteps,
      deviation: int("jitter", 0), resetProbability: 0.1, seed: 1, name: "text")
  }

  func validation() throws -> any SequenceSource {
    if isPooled { return LabelledTokens(seed: 4) }
    return try EvaluationStream(
      tokens: Case.text(count: 101, seed: 2), globalBatch: Case.sequences, timesteps: try source().timesteps,
      name: "text")
  }

  /// Tokens of which each follows from the one before, but for some.
  private static func text(count: Int, seed: UInt64) -> [Int32] {
    var tokens: [Int32] = [0]
    var draws = PhiloxSequence(seed: seed, purpose: .dataGeneration, step: 0)
    while tokens.count < count {
      let next = draws.uniform() < 0.3 ? Int32(draws.below(vocabulary)) : tokens.last! * 3 % 11 + 1
      tokens.append(next)
    }
    return tokens
  }
}

// MARK: The update

extension Case {
  var rule: OptimizerRule {
    switch text("optimizer", "adam") {
    case "sgd": .sgd(learningRate: rate(0.5))
    case "momentum": .sgd(learningRate: rate(0.2), momentum: 0.8, nesterov: true)
    case "adamw": .adamW(learningRate: rate(0.02), beta1: 0.8, beta2: 0.9, epsilon: 1e-6, weightDecay: 0.5)
    case "rmsprop": .rmsProp(learningRate: rate(0.01), beta2: 0.9, epsilon: 1e-6)
    case "lamb": .lamb(learningRate: rate(0.05), beta1: 0.8, beta2: 0.9, epsilon: 1e-6, weightDecay: 0.1)
    default: .adam(learningRate: rate(0.02), beta1: 0.8, beta2: 0.9, epsilon: 1e-6)
    }
  }

  private func rate(_ usual: Double) -> Double { double("rate", usual) }

  var clip: Clipping { has("clipBy") ? .element(double("clip", 0.01)) : .norm(double("clip", 0.3)) }

  var schedule: Schedule {
    let warmUp = int("warmUp", 0)
    return switch text("schedule", "constant") {
    case "step": Schedule(.step(every: 3, factor: 0.5, floor: 0.1), warmUp: warmUp)
    case "exponential": Schedule(.exponential(every: 3, factor: 0.5, floor: 0), warmUp: warmUp)
    case "cosine": Schedule(.cosine(end: 12, floor: 0.05), warmUp: warmUp)
    case "plateau": Schedule(.plateau(patience: 1, factor: 0.5, floor: 0), warmUp: warmUp)
    default: Schedule(.constant, warmUp: warmUp)
    }
  }

  var averaging: Averaging {
    if has("averageFrom") { return .from(step: int("averageFrom", 0)) }
    return has("averagePatience") ? .nonMonotonic(patience: int("averagePatience", 0)) : .never
  }
}
