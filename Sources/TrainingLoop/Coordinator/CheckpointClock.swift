/// When a checkpoint is due by the clock: after an interval, or when training has gone on long enough for the cost of
/// one more to stay within a share of it. All times are seconds since the same moment; it reads no clock.
///
/// A checkpoint costs the time for which training stood still, to copy the state or to wait for the disk, and the time
/// for which the writing thread kept a processor busy, which on a full machine is taken from a rank. With a cost c and
/// an allowed overhead q the next one begins c / q seconds after the previous one, but at least 10. The first cost is
/// estimated from the size; later, the mean of what was expected and what was measured is expected next.
///
/// The first one of a job comes earlier: it begins a minute after the training at the latest, unless there are
/// none by the clock.
package struct CheckpointClock: Sendable {
  /// Seconds between the beginnings of two checkpoints; 0 for none.
  package let intervalSeconds: Double
  /// The share of the time that checkpoints may cost; 0 for none.
  package let overhead: Double
  private var beganSeconds: Double
  private var costSeconds: Double
  private var stoppedSeconds = 0.0
  private var isFirst = true

  /// However cheap they are, what stays on the disk takes room.
  private static let shortestSeconds = 10.0
  /// Until the first one.
  private static let firstSeconds = 60.0
  /// What copying, writing, hashing and reading back are expected to do before they have been measured.
  private static let bytesPerSecond = 200e6

  /// - Parameters:
  ///   - startSeconds: when the training begins.
  ///   - checkpointBytes: the size of a checkpoint.
  package init(intervalSeconds: Double, overhead: Double, startSeconds: Double, checkpointBytes: Int) {
    precondition(intervalSeconds >= 0 && overhead >= 0)
    self.intervalSeconds = intervalSeconds
    self.overhead = overhead
    beganSeconds = startSeconds
    costSeconds = Double(checkpointBytes) / CheckpointClock.bytesPerSecond
  }

  /// A checkpoint has begun, for whatever reason, and training stood still `stoodStillSeconds` for it.
  package mutating func began(atSeconds now: Double, stoodStillSeconds: Double) {
    (beganSeconds, stoppedSeconds, isFirst) = (now, stoodStillSeconds, false)
  }

  /// Training stood still for `seconds`, waiting for the checkpoint that has begun.
  package mutating func stoodStill(seconds: Double) { stoppedSeconds += seconds }

  /// It has ended, and its writing kept a processor busy for `busySeconds`.
  package mutating func ended(busySeconds: Double) { costSeconds = (costSeconds + stoppedSeconds + busySeconds) / 2 }

  /// Whether the next one is due; not to be asked while one is being written.
  package func isDue(atSeconds now: Double) -> Bool {
    guard let pause = pauseSeconds else { return false }
    return now - beganSeconds >= (isFirst ? min(pause, CheckpointClock.firstSeconds) : pause)
  }

  /// Seconds from the beginning of one to that of the next; nil where none comes by the clock.
  private var pauseSeconds: Double? {
    let byCost = overhead > 0 ? max(CheckpointClock.shortestSeconds, costSeconds / overhead) : nil
    return [intervalSeconds > 0 ? intervalSeconds : nil, byCost].compactMap(\.self).min()
  }
}
