/// The target of a timestep that has none: padding behind a short sequence, or behind the last token of a lane.
public let noTarget: Int32 = -1

/// Batches of token sequences, each a pure function of its step: any rank can ask for any lanes of any step and gets
/// the same tokens, with no communication.
public protocol SequenceSource: Sendable {
  /// B, sequences in the global batch.
  var globalBatch: Int { get }
  /// T, timesteps of a window; shorter sequences are padded with targets of `noTarget`.
  var timesteps: Int { get }
  /// Steps that see all of the data once.
  var stepsPerEpoch: Int { get }
  /// True where a lane begins this step with a hidden state of zero; false where it goes on from the step before.
  func startsFresh(atStep step: Int, lane: Int) -> Bool
  /// Targets other than `noTarget` in the whole global batch of this step: the divisor of its loss.
  func targetCount(atStep step: Int) -> Int
  /// Writes the step's tokens and targets, [T, lanes] row-major, for a contiguous range of the batch's lanes.
  /// - Precondition: both buffers hold T · lanes.count elements.
  func fill(
    step: Int, lanes: Range<Int>, tokens: UnsafeMutableBufferPointer<Int32>,
    targets: UnsafeMutableBufferPointer<Int32>)
}
