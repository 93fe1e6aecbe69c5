import ExactMath
import Problems

/// Training on one long text: B lanes walk side by side through it, T tokens a step, and hidden state is carried from
/// step to step until the epoch ends, or until a lane is made to forget it: with the reset probability before each
/// window, drawn from (seed, step, lane).
///
/// Of N tokens an epoch uses B · windows · T, where windows = ⌊(N − 1) / (B·T)⌋ (each token but the last has a target,
/// the token behind it). Lane i covers `windows` consecutive windows. The N − 1 − B·windows·T tokens left over are the
/// slack: an epoch starts at a uniform offset in 0 ... slack, drawn from (seed, epoch), so that epochs cut the text at
/// different places and no token is left out for ever.
///
/// With a deviation windows have random lengths (see `RandomWindows`) in place of T, and the learning rate of a step is
/// multiplied by its length over T.
package struct TokenStream: SequenceSource {
  private let tokens: TokenSequence
  private let seed: UInt64
  private let resetProbability: Double
  /// Nil where all windows have T tokens.
  private let windows: RandomWindows?
  /// B, lanes.
  package let globalBatch: Int
  /// T, tokens of a lane in one step; with random windows the most that there can be.
  package let timesteps: Int
  /// Windows of a lane: the steps of an epoch.
  package let stepsPerEpoch: Int

  /// A source over `tokens`; an error with exit code 65 where they do not fill one step. `name` is what it calls them.
  /// - Parameter deviation: of the lengths of windows from `timesteps`, 0 for windows of that length alone.
  package init(
    tokens: TokenSequence, globalBatch: Int, timesteps: Int, deviation: Int = 0, resetProbability: Double = 0,
    seed: UInt64, name: String
  ) throws(Problem) {
    precondition(globalBatch >= 1 && timesteps >= 1, "a batch has at least one lane and one timestep")
    precondition(deviation >= 0, "lengths deviate by 0 or more")
    let (product, overflow) = globalBatch.multipliedReportingOverflow(by: timesteps)
    guard !overflow, product < tokens.count else {
      let needed = overflow ? "more than \(Int.max)" : "at least \(product + 1)"
      throw .data(
        "text is shorter than the batch needs — expected \(needed) training tokens (batch.sequences \(globalBatch) × "
          + "batch.steps \(timesteps) + 1), got \(tokens.count) (\(name))",
        hint: "lower batch.sequences or batch.steps, give a longer text, or leave more of it to training with "
          + "data.validation")
    }
    self.tokens = tokens
    self.seed = seed
    self.resetProbability = resetProbability
    self.globalBatch = globalBatch
    self.timesteps = RandomWindows.longest(base: timesteps, deviation: deviation)
    let laneTokens = (tokens.count - 1) / globalBatch
    windows =
      deviation == 0 ? nil : RandomWindows(base: timesteps, deviation: deviation, laneTokens: laneTokens, seed: seed)
    stepsPerEpoch = windows?.count ?? (tokens.count - 1) / product
  }

  /// The same over tokens in memory.
  package init(
    tokens: [Int32], globalBatch: Int, timesteps: Int, deviation: Int = 0, resetProbability: Double = 0, seed: UInt64,
    name: String
  ) throws(Problem) {
    try self.init(
      tokens: try TokenSequence(tokens), globalBatch: globalBatch, timesteps: timesteps, deviation: deviation,
      resetProbability: resetProbability, seed: seed, name: name)
  }

  /// True at the first step of an epoch, and before any other window with the reset probability.
  package func startsFresh(atStep step: Int, lane: Int) -> Bool {
    if step % stepsPerEpoch == 0 { return true }
    guard resetProbability > 0 else { return false }
    let words = Philox(seed: seed, purpose: .stateReset, step: step).words(block: 0, lane: lane)
    return Philox.uniform(words[0], words[1]) < resetProbability
  }

  /// The most timesteps of a window: what a batch has room for.
  package static func longestWindow(timesteps: Int, deviation: Int) -> Int {
    RandomWindows.longest(base: timesteps, deviation: deviation)
  }

  /// The tokens of the step's window, counted from the first token of its lane.
  private func window(_ step: Int) -> Range<Int> {
    let (epoch, index) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
    guard let windows else { return index * timesteps..<(index + 1) * timesteps }
    let starts = windows.starts(ofEpoch: epoch)
    return starts[index]..<starts[index + 1]
  }

  /// Tokens of a lane in an epoch.
  private func laneTokens(ofEpoch epoch: Int) -> Int {
    windows.map { $0.starts(ofEpoch: epoch)[stepsPerEpoch] } ?? stepsPerEpoch * timesteps
  }

  /// The length of the step's window.
  package func windowSteps(atStep step: Int) -> Int { window(step).count }

  /// The length of the window over the usual one.
  package func learningRateFactor(atStep step: Int) -> Double {
    windows.map { Double(window(step).count) / Double($0.base) } ?? 1
  }

  /// Every place of the window has a target.
  package func targetCount(atStep step: Int) -> Int { globalBatch * window(step).count }

  /// The first token of an epoch.
  package func offset(ofEpoch epoch: Int) -> Int {
    let slack = tokens.count - 1 - globalBatch * laneTokens(ofEpoch: epoch)
    var draws = PhiloxSequence(seed: seed, purpose: .dataOrder, step: epoch)
    return draws.below(slack + 1)
  }

  /// Writes the step's windows of `lanes`.
  package func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    checkFill(step: step, lanes: lanes, batch)
    let (epoch, window) = (step / stepsPerEpoch, window(step))
    let (first, laneTokens) = (offset(ofEpoch: epoch) + window.lowerBound, laneTokens(ofEpoch: epoch))
    batch.lengths.update(repeating: Int32(window.count))
    for (column, lane) in lanes.enumerated() {
      let start = first + lane * laneTokens
      let places = start..<start + window.count
      tokens.copy(places, to: batch.tokens.baseAddress! + column, stride: lanes.count)
      tokens.copy(places + 1, to: batch.targets.baseAddress! + column, stride: lanes.count)
      for t in window.count..<timesteps {
        batch.tokens[t * lanes.count + column] = 0
        batch.targets[t * lanes.count + column] = noTarget
      }
    }
  }
}
