/// Batches of pieces, one a lane and step: at frame t a model reads which keys sound, a number for each, 1 or 0, and
/// should say which ones sound at t + 1. A piece of n frames has n − 1 timesteps and as many targets.
package struct PianoRollBatches: WholeSequenceBatches {
  private let pieces: [PianoRolls.Piece]
  /// Which pieces stand where.
  package let epochs: EpochBatches

  /// D and K, the keys.
  package static var width: Int { PianoRolls.keys.count }

  /// Timesteps of the longest of some pieces.
  package static func longest(_ pieces: [PianoRolls.Piece]) -> Int { (pieces.map(\.count).max() ?? 1) - 1 }

  /// A source that sees each piece once an epoch: for training in `LengthBalancedBatches` drawn from (seed, epoch); in
  /// the order of the file where `shuffleSeed` is nil.
  /// - Precondition: there are pieces, all of 2 to `timesteps` + 1 frames.
  package init(_ pieces: [PianoRolls.Piece], globalBatch: Int, timesteps: Int, shuffleSeed: UInt64?) {
    self.pieces = pieces
    let lengths = pieces.map { $0.count - 1 }
    if shuffleSeed == nil {
      let inOrder = LengthBalancedBatches.slices(of: Array(pieces.indices), each: globalBatch)
      epochs = EpochBatches(lengths: lengths, globalBatch: globalBatch, timesteps: timesteps, PerEpoch { _ in inOrder })
    } else {
      epochs = EpochBatches(
        lengths: lengths, globalBatch: globalBatch, timesteps: timesteps, shuffleSeed: shuffleSeed)
    }
  }

  /// The frames of the step that are to be said: all but the first of each piece.
  package func targetCount(atStep step: Int) -> Int { indices(atStep: step).reduce(0) { $0 + pieces[$1].count - 1 } }

  /// Writes the pieces of `lanes`.
  package func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
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
