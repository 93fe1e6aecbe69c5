import Problems

/// Evaluation on one long text: each of its N − 1 targets is counted exactly once.
///
/// Lane i covers the targets ⌊i·(N−1)/B⌋ ..< ⌊(i+1)·(N−1)/B⌋, T a step, and is padded with `noTarget` behind its last
/// one. State is carried through the whole text; it is zero at the B places where a lane begins.
package struct EvaluationStream: SequenceSource {
  private let tokens: TokenSequence
  /// B, lanes.
  package let globalBatch: Int
  /// T, targets of a lane in one step, at most.
  package let timesteps: Int
  /// Steps until the longest lane is through; later steps begin again.
  package let stepsPerEpoch: Int

  /// A source over `tokens`; an error with exit code 65 where there are fewer than two. `name` is what it calls them.
  package init(tokens: TokenSequence, globalBatch: Int, timesteps: Int, name: String) throws(Problem) {
    precondition(globalBatch >= 1 && timesteps >= 1, "a batch has at least one lane and one timestep")
    guard tokens.count >= 2 else {
      throw .data("text is too short to evaluate — expected at least 2 tokens, got \(tokens.count) (\(name))")
    }
    self.tokens = tokens
    self.globalBatch = globalBatch
    self.timesteps = timesteps
    let longest = (tokens.count - 1 + globalBatch - 1) / globalBatch
    stepsPerEpoch = (longest + timesteps - 1) / timesteps
  }

  /// The same over tokens in memory.
  package init(tokens: [Int32], globalBatch: Int, timesteps: Int, name: String) throws(Problem) {
    try self.init(
      tokens: try TokenSequence(tokens), globalBatch: globalBatch, timesteps: timesteps, name: name)
  }

  /// True at the first step.
  package func startsFresh(atStep step: Int, lane: Int) -> Bool { step % stepsPerEpoch == 0 }

  /// The targets of this step; over an epoch they sum to N − 1.
  package func targetCount(atStep step: Int) -> Int {
    (0..<globalBatch).reduce(0) { $0 + window(ofLane: $1, step: step).count }
  }

  /// The indices of the lane's inputs at this step; the target of token j is token j + 1.
  private func window(ofLane lane: Int, step: Int) -> Range<Int> {
    let (first, end) = (start(ofLane: lane), start(ofLane: lane + 1))
    let from = min(first + step % stepsPerEpoch * timesteps, end)
    return from..<min(from + timesteps, end)
  }

  /// ⌊lane·(N−1)/B⌋, by quotient and remainder so that the product stays small.
  private func start(ofLane lane: Int) -> Int {
    let (quotient, remainder) = (tokens.count - 1).quotientAndRemainder(dividingBy: globalBatch)
    return lane * quotient + lane * remainder / globalBatch
  }

  /// Writes the step's windows of `lanes`.
  package func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    checkFill(step: step, lanes: lanes, batch)
    batch.tokens.update(repeating: 0)
    batch.targets.update(repeating: noTarget)
    for (column, lane) in lanes.enumerated() {
      let window = window(ofLane: lane, step: step)
      batch.lengths[column] = Int32(window.count)
      tokens.copy(window, to: batch.tokens.baseAddress! + column, stride: lanes.count)
      tokens.copy(window + 1, to: batch.targets.baseAddress! + column, stride: lanes.count)
    }
  }
}
