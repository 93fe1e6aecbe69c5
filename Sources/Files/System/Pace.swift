import Glibc

/// The pace of a thread that works beside the training. Where ranks leave no core idle, it takes its time from one of
/// them, for which all wait: so it works in small pieces, and after each it rests nine times as long as the piece kept
/// the processor busy. A step then takes a tenth longer at most while a checkpoint is written. (A low priority does not
/// do that: on a full machine it lets a thread of its kind starve, also when the ranks wait for it.)
package final class Pace {
  private static let restFactor = 9.0
  /// Busy time that is worth a rest: waking up costs a few microseconds.
  private static let shortest = 200e-6

  private let isHurried: () -> Bool
  private let onPiece: () -> Void
  private let startSeconds = seconds(CLOCK_MONOTONIC)
  private let startBusySeconds = seconds(CLOCK_THREAD_CPUTIME_ID)
  private var restedBusySeconds: Double
  private var restSeconds = 0.0

  /// A pace for the thread that calls this.
  /// - Parameters:
  ///   - isHurried: whether somebody waits, so that there is no time to rest.
  ///   - onPiece: called after each piece.
  package init(isHurried: @escaping () -> Bool, onPiece: @escaping () -> Void) {
    self.isHurried = isHurried
    self.onPiece = onPiece
    restedBusySeconds = startBusySeconds
  }

  /// A piece of work is done, perhaps a millisecond's: now is the time to rest.
  package func finishedPiece() {
    onPiece()
    let busy = Pace.seconds(CLOCK_THREAD_CPUTIME_ID) - restedBusySeconds
    if busy < Pace.shortest || isHurried() { return }
    let start = Pace.seconds(CLOCK_MONOTONIC)
    // Not for long at once: somebody may begin to wait.
    let rest = min(0.05, busy * Pace.restFactor)
    usleep(UInt32(rest * 1e6))
    restSeconds += Pace.seconds(CLOCK_MONOTONIC) - start
    restedBusySeconds += rest / Pace.restFactor
  }

  /// Seconds for which the thread has kept a processor busy.
  package var busySeconds: Double { Pace.seconds(CLOCK_THREAD_CPUTIME_ID) - startBusySeconds }

  /// Seconds since the start, without the rests.
  package var workSeconds: Double { Pace.seconds(CLOCK_MONOTONIC) - startSeconds - restSeconds }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
