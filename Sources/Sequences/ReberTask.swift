import ExactMath
import Problems

/// The strings that the default training uses: draws of the embedded Reber grammar to train on, and held-out strings
/// that are all different and none of them a training string. Both follow from the seed alone.
///
/// Strings of more than `longest` symbols are drawn again, so that a window of fixed length holds any of them; with 33
/// symbols that is one draw in 2,000. Held-out strings are rarer than plain draws (the frequent ones are in the
/// training set), so a perfect model's loss on them is above the entropy of the grammar: `perfectLoss` gives it
/// exactly.
package struct ReberTask: Sendable {
  /// Training strings, as often as they were drawn.
  package let training: [[Int32]]
  /// Held-out strings, each once.
  package let heldOut: [[Int32]]
  /// The most symbols of a string.
  package let longest: Int

  /// Draws the strings; an error with exit code 78 where `longest` leaves too few different ones.
  package init(
    seed: UInt64, trainingCount: Int, heldOutCount: Int, longest: Int
  ) throws(Problem) {
    precondition(trainingCount >= 1 && heldOutCount >= 0, "there must be training strings")
    guard longest >= ReberGrammar.shortestLength else {
      throw .configuration(
        "window too short for the grammar's shortest string — expected batch.steps of at least "
          + "\(ReberGrammar.shortestLength - 1), got \(longest - 1)")
    }
    var draws = PhiloxSequence(seed: seed, purpose: .dataGeneration)
    func draw() -> [Int32] {
      while true {
        let string = ReberGrammar.generate(&draws)
        if string.count <= longest { return string }
      }
    }
    training = (0..<trainingCount).map { _ in draw() }
    var seen = Set(training)
    var found: [[Int32]] = []
    // Where the strings run out the search must end: a string that is not new costs one of the attempts.
    var attempts = 10_000 + 1_000 * heldOutCount
    while found.count < heldOutCount && attempts > 0 {
      attempts -= 1
      let string = draw()
      if seen.insert(string).inserted { found.append(string) }
    }
    guard found.count == heldOutCount else {
      throw .configuration(
        "too few different strings of at most \(longest) symbols — expected \(heldOutCount) held-out strings, found "
          + "\(found.count)",
        hint: "raise batch.steps, or lower data.trainingStrings or data.heldOutStrings")
    }
    heldOut = found
    self.longest = longest
  }

  /// The symbols and their numbers.
  package static let vocabulary = Vocabulary(
    valid: .symbols, entries: ReberGrammar.symbols.map { ExactString(String($0)) })

  /// Batches of the training strings, in a new order every epoch.
  package func trainingSource(globalBatch: Int, seed: UInt64) -> StringBatches {
    StringBatches(strings: training, globalBatch: globalBatch, timesteps: longest - 1, shuffleSeed: seed)
  }

  /// Batches of any strings that fit, each exactly once an epoch, in their order.
  package func evaluationSource(_ strings: [[Int32]], globalBatch: Int) -> StringBatches {
    StringBatches(strings: strings, globalBatch: globalBatch, timesteps: longest - 1, shuffleSeed: nil)
  }

  /// The mean loss, in nats a target, of a model that knows the grammar's true probabilities: what the loss on these
  /// strings is to be compared with.
  package static func perfectLoss(on strings: [[Int32]]) -> Double {
    let logProbability = strings.reduce(0) { $0 + ReberGrammar.logProbability(of: $1) }
    return -logProbability / Double(strings.reduce(0) { $0 + $1.count - 1 })
  }
}
