import DataParallel
import LSTM
import MPI
import Sequences

/// What a model makes of the embedded Reber grammar, beside the known truth.
struct ReberResult {
  /// Strings of a set whose every step has only legal symbols as its most likely ones.
  private struct Score {
    let name: String
    let solved: Int
    let strings: Int
    let loss: Double
    let perfectLoss: Double
  }

  private let scores: [Score]

  /// Evaluates the training and held-out strings. Every rank calls it.
  init(_ task: ReberTask, model: Replica, world: World) throws {
    var scores: [Score] = []
    for (name, strings) in [("training", task.training), ("held-out", task.heldOut)] where !strings.isEmpty {
      let source = task.evaluationSource(strings, globalBatch: model.plan.globalBatch)
      var solved = 0
      var failed: Set<Int> = []
      // Segments of a window come from the last to the first.
      let loss = try model.evaluate(source) { window in
        for (lane, index) in source.indices(atStep: window.step).enumerated() where window.lanes.contains(lane) {
          if !ReberResult.isSolved(strings[index], window, lane) { failed.insert(index) }
          if window.timesteps.lowerBound == 0 && !failed.contains(index) { solved += 1 }
        }
      }
      scores.append(
        Score(
          name: name, solved: try world.communicator.allReduce(solved, .sum), strings: strings.count, loss: loss,
          perfectLoss: ReberTask.perfectLoss(on: strings)))
    }
    self.scores = scores
  }

  private static func isSolved(_ string: [Int32], _ window: Replica.EvaluatedWindow, _ lane: Int) -> Bool {
    guard let legal = ReberGrammar.legalTargets(of: string) else { return false }
    return window.timesteps.clamped(to: 0..<legal.count).allSatisfy { t in
      ReberGrammar.mostLikelyAreLegal(logits: window.logits(t: t, lane: lane), legal: legal[t])
    }
  }

  /// The result as lines of text, after training on so many strings.
  func lines(sequences: Int) -> [String] {
    var lines = ["embedded Reber grammar (entropy \(rounded(ReberGrammar.entropyPerTarget, 4)) nats a symbol)"]
    for score in scores {
      lines.append(
        "  \(score.name) strings: loss \(rounded(score.loss, 4)), by the grammar's own probabilities \(rounded(score.perfectLoss, 4)); "
          + "only legal symbols most likely at every step: \(score.solved) of \(score.strings) "
          + "(\(rounded(100 * Double(score.solved) / Double(score.strings), 1)) %)")
    }
    let solved = scores.allSatisfy { $0.solved == $0.strings }
    return lines + [
      "  the criterion of Hochreiter and Schmidhuber (1997), every string of both sets: "
        + "\(solved ? "met" : "not met") after \(sequences) strings"
    ]
  }

  /// A few strings drawn from the model, each marked legal or not.
  static func sampledStrings(
    shape: ModelShape, parameters: UnsafePointer<Float>, seed: UInt64, count: Int = 5
  ) -> [String] {
    let sampler = Sampler(shape: shape, parameters: parameters, seed: seed)
    let vocabulary = ReberTask.vocabulary
    return ["  sampled:"]
      + (0..<count).map { _ in
        let string = draw(sampler)
        return "    \(vocabulary.decode(string))  \(ReberGrammar.isLegal(string) ? "legal" : "not legal")"
      }
  }

  /// One string: from the grammar's first symbol until it is whole, is not legal any more, or grows too long.
  static func draw(
    _ sampler: Sampler, temperature: Double = 1, limits: SamplingLimits = SamplingLimits()
  ) -> [Int32] {
    var string = ReberGrammar.legalNext(after: [])!
    sampler.reset()
    while string.count < 200, let legal = ReberGrammar.legalNext(after: string), !legal.isEmpty {
      sampler.read(string.last!)
      string.append(sampler.draw(temperature: temperature, excluding: nil, limits: limits))
    }
    return string
  }
}
