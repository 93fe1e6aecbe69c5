/// Adds the gradients of all ranks, part after part of the model, in the order in which the backward pass finishes
/// them: `submit` starts a part, `poll` lets it make progress, `finish` waits for all. Every rank updates the
/// parameters in the ranges of the sum that it owns: all of them, or a slice where ranks share the parameters.
package protocol Reducer: AnyObject {
  /// The ranges of the flat gradient that this rank owns after `finish`, one for each part, ascending.
  var ownedRanges: [Range<Int>] { get }
  /// The flat gradient in whose owned ranges the sum over all shards is, after `finish`.
  var sum: UnsafeMutablePointer<Float> { get }
  /// Where the embedding's gradient is, nil where there is none.
  var embedding: Range<Int>? { get }
  /// Where the owned gradient may be other than +0.0, after `finish`.
  var changedRanges: [Range<Int>] { get }
  /// The value of every shard, after `finish`.
  var shardValues: [Double] { get }
  /// The stop flag of every rank, after `finish`.
  var stopFlags: [Double] { get }

  /// The gradient of a part is final in every subtree's gradient, and is not touched until `finish`. `rowsSeen`: of an
  /// embedding, ascending, the rows that the gradient has.
  func submit(part: Int, rowsSeen: [Int32])
  /// Lets what was submitted make progress. Cheap where there is nothing to do: meant to be called between timesteps.
  func poll()
  /// Waits for all parts; afterwards the owned ranges of `sum` are the global gradient. Returns its global norm. Each
  /// rank brings the values of its own shards, and its stop flag.
  func finish(ownShardValues: UnsafeBufferPointer<Double>, stopFlag: Double) throws -> Double
  /// Sets what `finish` wrote into the embedding's gradient to +0.0, as the next backward pass expects it.
  func clearEmbedding()
}

extension Reducer {
  package func clearEmbedding() {
    guard let embedding else { return }
    for range in changedRanges where range.upperBound <= embedding.upperBound {
      (sum + range.lowerBound).update(repeating: 0, count: range.count)
    }
  }
}

/// A reducer that sends the beginning of a part while the rest is still being computed.
package protocol EarlyReducer: Reducer {
  /// Runs in which the lowest layer's gradient is best computed, with a `submit` of its beginning after each.
  var runs: Int { get }

  /// The first `elements` of a part's gradient are final; `submit(part:rowsSeen:)` of the whole part follows.
  func submit(part: Int, first elements: Int)
}
