import Randomness

/// Training on one long text: B lanes walk side by side through it, T tokens a step, and hidden state is carried from
/// step to step until the epoch ends, or until a lane is made to forget it: with the reset probability before each
/// window, drawn from (seed, step, lane).
///
/// Of N tokens an epoch uses B · windows · T, where windows = ⌊(N − 1) / (B·T)⌋ (each token but the last has a target,
/// the token behind it). Lane i covers `windows` consecutive windows. The N − 1 − B·windows·T tokens left over are the
/// slack: an epoch starts at a uniform offset in 0 ... slack, drawn from (seed, epoch), so that epochs cut the text at
/// different places and no token is left out for ever.
public struct TokenStream: SequenceSource {
  private let tokens: [Int32]
  private let seed: UInt64
  private let resetProbability: Double
  /// B, lanes.
  public let globalBatch: Int
  /// T, tokens of a lane in one step.
  public let timesteps: Int
  /// Windows of a lane: the steps of an epoch.
  public let stepsPerEpoch: Int

  /// A source over `tokens`; an error with exit code 65 where they do not fill one step. `name` is what it calls them.
  public init(
    tokens: [Int32], globalBatch: Int, timesteps: Int, resetProbability: Double = 0, seed: UInt64, name: String
  ) throws(SequenceError) {
    precondition(globalBatch >= 1 && timesteps >= 1, "a batch has at least one lane and one timestep")
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
    self.timesteps = timesteps
    stepsPerEpoch = (tokens.count - 1) / product
  }

  /// True at the first step of an epoch, and before any other window with the reset probability.
  public func startsFresh(atStep step: Int, lane: Int) -> Bool {
    if step % stepsPerEpoch == 0 { return true }
    guard resetProbability > 0 else { return false }
    let words = Philox(seed: seed, purpose: .stateReset, step: step).words(block: 0, lane: lane)
    return Philox.uniform(words[0], words[1]) < resetProbability
  }

  /// B·T: every place has a target.
  public func targetCount(atStep step: Int) -> Int { globalBatch * timesteps }

  /// The first token of an epoch.
  public func offset(ofEpoch epoch: Int) -> Int {
    let slack = tokens.count - 1 - globalBatch * stepsPerEpoch * timesteps
    var draws = PhiloxSequence(seed: seed, purpose: .dataOrder, step: epoch)
    return draws.below(slack + 1)
  }

  /// Writes the step's windows of `lanes`.
  public func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    checkFill(step: step, lanes: lanes, batch)
    batch.lengths.update(repeating: Int32(timesteps))
    let first = offset(ofEpoch: step / stepsPerEpoch) + step % stepsPerEpoch * timesteps
    for (column, lane) in lanes.enumerated() {
      let start = first + lane * stepsPerEpoch * timesteps
      for t in 0..<timesteps {
        batch.tokens[t * lanes.count + column] = tokens[start + t]
        batch.targets[t * lanes.count + column] = tokens[start + t + 1]
      }
    }
  }
}
