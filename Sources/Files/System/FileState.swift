import Crypto
import Glibc

/// What a regular file is known by, without reading it: size, inode and times. Not its device, whose number may be
/// another one on each host and after each start.
package struct FileState: Equatable, Sendable {
  /// Bytes.
  package let size: Int
  private let numbers: [Int]

  init(_ status: stat) {
    size = Int(status.st_size)
    let (modified, changed) = (status.st_mtim, status.st_ctim)
    numbers = [
      Int(bitPattern: UInt(status.st_ino)), modified.tv_sec, modified.tv_nsec, changed.tv_sec, changed.tv_nsec,
    ]
  }

  /// Until the last change is two seconds old, which is more than the steps in which any file system counts time;
  /// never more than these two.
  package var secondsUntilOld: Double {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let age = Double(now.tv_sec - numbers[3]) + Double(now.tv_nsec - numbers[4]) / 1e9
    return min(2, max(0, 2 - age))
  }

  /// SHA-256 of the states of some files.
  package static func digest(_ states: [FileState]) -> [UInt8] {
    let words = states.flatMap { [$0.size] + $0.numbers }
    return words.withUnsafeBytes { Array(SHA256.hash(data: $0)) }
  }
}
