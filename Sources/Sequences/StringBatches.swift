import ExactMath

/// Short strings, one a lane and step: the hidden state is zero at the start of each, and the target of a symbol is the
/// one behind it. Shorter strings are padded with `noTarget`, and so are whole lanes of an epoch's last step where the
/// strings do not divide by B.
package struct StringBatches: SequenceSource {
  private let strings: [[Int32]]
  /// The order of the strings; nil where they keep their own.
  private let order: PerEpoch<[Int]>?
  /// B, strings in one step.
  package let globalBatch: Int
  /// T, at least the length of the longest string − 1.
  package let timesteps: Int
  /// ⌈strings / B⌉.
  package let stepsPerEpoch: Int

  /// A source over `strings`, each seen once an epoch: in an order drawn from (seed, epoch) for training, in their own
  /// order where `shuffleSeed` is nil.
  /// - Precondition: there are strings, all of 2 to `timesteps` + 1 symbols.
  package init(strings: [[Int32]], globalBatch: Int, timesteps: Int, shuffleSeed: UInt64?) {
    precondition(globalBatch >= 1 && !strings.isEmpty, "there must be lanes and strings")
    precondition(strings.allSatisfy { (2...timesteps + 1).contains($0.count) }, "a string must fit into a window")
    self.strings = strings
    order = shuffleSeed.map { seed in
      PerEpoch { [count = strings.count] epoch in
        var draws = PhiloxSequence(seed: seed, purpose: .dataOrder, step: epoch)
        return draws.permutation(count)
      }
    }
    self.globalBatch = globalBatch
    self.timesteps = timesteps
    stepsPerEpoch = (strings.count + globalBatch - 1) / globalBatch
  }

  /// Always true.
  package func startsFresh(atStep step: Int, lane: Int) -> Bool { true }

  /// The symbols of the step's strings, without the first of each.
  package func targetCount(atStep step: Int) -> Int {
    indices(atStep: step).reduce(0) { $0 + strings[$1].count - 1 }
  }

  /// The indices of the step's strings, lane by lane; fewer than B at the end of an epoch.
  package func indices(atStep step: Int) -> [Int] {
    let first = step % stepsPerEpoch * globalBatch
    let places = first..<min(first + globalBatch, strings.count)
    guard let order else { return Array(places) }
    return Array(order(step / stepsPerEpoch)[places])
  }

  /// Writes the strings of `lanes`.
  package func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    checkFill(step: step, lanes: lanes, batch)
    batch.tokens.update(repeating: 0)
    batch.targets.update(repeating: noTarget)
    batch.lengths.update(repeating: 0)
    let chosen = indices(atStep: step)
    for (column, lane) in lanes.enumerated() where lane < chosen.count {
      let string = strings[chosen[lane]]
      batch.lengths[column] = Int32(string.count - 1)
      for t in 0..<string.count - 1 {
        batch.tokens[t * lanes.count + column] = string[t]
        batch.targets[t * lanes.count + column] = string[t + 1]
      }
    }
  }
}
