import ExactMath

/// Batches of sequences of about the same length, so that few timesteps are padding: a pure function of (lengths, batch
/// size, seed, epoch), with every sequence in exactly one batch of an epoch.
///
/// The epoch's order is drawn, cut into pools of `poolBatches` batches, and each pool sorted by length: sequences
/// change their company from epoch to epoch, which one sort of everything would not do. Batches come in an order drawn
/// too, and within a batch the sequences stand as they were drawn, so that no rank always gets the longest.
package enum LengthBalancedBatches {
  /// Batches that are sorted together.
  static let poolBatches = 64

  /// The indices of the sequences of each batch; one batch of the epoch is smaller where they do not divide.
  package static func batches(lengths: [Int], globalBatch: Int, seed: UInt64, epoch: Int) -> [[Int]] {
    precondition(globalBatch >= 1, "a batch has at least one sequence")
    var draws = PhiloxSequence(seed: seed, purpose: .dataOrder, step: epoch)
    let order = draws.permutation(lengths.count)
    let batches = slices(of: Array(order.indices), each: globalBatch * poolBatches).flatMap { pool in
      slices(of: pool.sorted { (lengths[order[$0]], $0) < (lengths[order[$1]], $1) }, each: globalBatch)
    }
    return draws.permutation(batches.count).map { batch in batches[batch].sorted().map { order[$0] } }
  }

  /// The batches of each epoch: for training drawn from (seed, epoch); where `shuffleSeed` is nil always the same ones,
  /// short sequences first.
  static func perEpoch(lengths: [Int], globalBatch: Int, shuffleSeed: UInt64?) -> PerEpoch<[[Int]]> {
    if let shuffleSeed {
      return PerEpoch { batches(lengths: lengths, globalBatch: globalBatch, seed: shuffleSeed, epoch: $0) }
    }
    let sorted = lengths.indices.sorted { (lengths[$0], $0) < (lengths[$1], $1) }
    let always = slices(of: sorted, each: globalBatch)
    return PerEpoch { _ in always }
  }

  /// The share of a batch list's timesteps that is padding, each batch being as long as its longest sequence: 0 ≤ share
  /// < 1.
  package static func paddingShare(of batches: [[Int]], lengths: [Int]) -> Double {
    let padded = batches.reduce(0) { $0 + $1.count * ($1.map { lengths[$0] }.max() ?? 0) }
    let used = batches.reduce(0) { $0 + $1.reduce(0) { $0 + lengths[$1] } }
    return padded == 0 ? 0 : 1 - Double(used) / Double(padded)
  }

  /// Places in their order, `size` in each batch.
  static func slices(of places: [Int], each size: Int) -> [[Int]] {
    stride(from: 0, to: places.count, by: size).map { Array(places[$0..<min($0 + size, places.count)]) }
  }
}
