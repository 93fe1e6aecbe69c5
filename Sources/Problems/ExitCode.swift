/// What a process tells its parent when it ends. Schedulers and scripts decide by it, so the numbers never change.
/// 64 to 78 are those of sysexits.h where it has a fitting one.
package enum ExitCode: Int32, Sendable, CaseIterable {
  /// The work is done.
  case done = 0
  /// The command line makes no sense.
  case usage = 64
  /// The content of a file is not what it should be.
  case badData = 65
  /// A mistake of this program, or no memory.
  case internalError = 70
  /// A file is missing or unreadable, or the system refused to write it.
  case inputOutput = 74
  /// The run stopped with a checkpoint, and goes on when it is started again.
  case stopped = 75
  /// A loss, gradient or parameter is infinite or not a number.
  case diverged = 76
  /// Another rank is gone.
  case peerLost = 77
  /// A setting that cannot work, or ranks that disagree.
  case badConfiguration = 78
}
