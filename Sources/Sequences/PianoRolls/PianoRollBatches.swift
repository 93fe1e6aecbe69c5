/// Batches of pieces, one a lane and step: at frame t a model reads which keys sound, a number for each, 1 or 0, and
/// should say which ones sound at t + 1. A piece of n frames has n − 1 timesteps and as many targets.
public struct PianoRollBatches: SequenceSource {
  private let pieces: [PianoRolls.Piece]
  private let batches: PerEpoch<[[Int]]>
  /// B, pieces in one step.
  public let globalBatch: Int
  /// T, at least the timesteps of the longest piece.
  public let timesteps: Int
  /// ⌈pieces / B⌉.
  public let stepsPerEpoch: Int

  /// D and K, the keys.
  public static var width: Int { PianoRolls.keys.count }

  /// Timesteps of the longest of some pieces.
  public static func longest(_ pieces: [PianoRolls.Piece]) -> Int { (pieces.map(\.count).max() ?? 1) - 1 }

  /// A source that sees each piece once an epoch: for training in `LengthBalancedBatches` drawn from (seed, epoch); in
  /// the order of the file where `shuffleSeed` is nil.
  /// - Precondition: there are pieces, all of 2 to `timesteps` + 1 frames.
  public init(_ pieces: [PianoRolls.Piece], globalBatch: Int, timesteps: Int, shuffleSeed: UInt64?) {
    precondition(globalBatch >= 1 && !pieces.isEmpty, "there must be lanes and pieces")
    precondition(pieces.allSatisfy { (2...timesteps + 1).contains($0.count) }, "a piece must fit into a window")
    self.pieces = pieces
    self.globalBatch = globalBatch
    self.timesteps = timesteps
    stepsPerEpoch = (pieces.count + globalBatch - 1) / globalBatch
    let lengths = pieces.map(\.count)
    batches = PerEpoch { epoch in
      if let shuffleSeed {
        return LengthBalancedBatches.batches(
          lengths: lengths, globalBatch: globalBatch, seed: shuffleSeed, epoch: epoch)
      }
      return stride(from: 0, to: lengths.count, by: globalBatch).map {
        Array($0..<min($0 + globalBatch, lengths.count))
      }
    }
  }

  private func indices(atStep step: Int) -> [Int] { batches(step / stepsPerEpoch)[step % stepsPerEpoch] }

  /// Always true.
  public func startsFresh(atStep step: Int, lane: Int) -> Bool { true }

  /// The frames of the step that are to be said: all but the first of each piece.
  public func targetCount(atStep step: Int) -> Int { indices(atStep: step).reduce(0) { $0 + pieces[$1].count - 1 } }

  /// Writes the pieces of `lanes`.
  public func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    let (K, chosen) = (PianoRollBatches.width, indices(atStep: step))
    precondition(
      batch.numbers.count == timesteps * lanes.count * K && batch.values.count == batch.numbers.count
        && batch.lengths.count == lanes.count, "the batch must hold numbers and values of T · lanes frames")
    batch.numbers.update(repeating: 0)
    batch.values.update(repeating: .nan)
    batch.lengths.update(repeating: 0)
    for (column, lane) in lanes.enumerated() where lane < chosen.count {
      let piece = pieces[chosen[lane]]
      batch.lengths[column] = Int32(piece.count - 1)
      for t in 0..<piece.count - 1 {
        let row = (t * lanes.count + column) * K
        for key in piece[t] { batch.numbers[row + Int(key)] = 1 }
        for key in 0..<K { batch.values[row + key] = 0 }
        for key in piece[t + 1] { batch.values[row + Int(key)] = 1 }
      }
    }
  }
}
