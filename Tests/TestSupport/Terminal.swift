import Foundation

/// A pseudo-terminal in which a job runs, with this process as the person before it.
public final class Terminal {
  /// What the program has as its input, output and errors.
  let programsSide: FileHandle
  private let ours: Int32
  private var isOpen = true
  /// Everything that the program has said so far.
  public private(set) var text = ""

  /// Opens one.
  public init() throws {
    ours = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    // TIOCSPTLCK and TIOCGPTN (ioctl_tty(2)), which Swift does not import: unlock the other side, and its number.
    var (lock, number) = (Int32(0), Int32(0))
    guard ours >= 0, ioctl(ours, 0x4004_5431, &lock) == 0, ioctl(ours, 0x8004_5430, &number) == 0 else {
      throw CocoaError(.fileReadUnknown)
    }
    let descriptor = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CocoaError(.fileReadUnknown) }
    programsSide = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
  }

  deinit { close() }

  /// Types on the keyboard; "\u{3}" is Ctrl-C.
  public func type(_ keys: String) {
    let bytes = Array(keys.utf8)
    _ = write(ours, bytes, bytes.count)
  }

  /// Reads until the program has said this, or has ended; whether it has said it.
  public func waits(for words: String, timeoutSeconds: Int = 60) -> Bool {
    let end = Date(timeIntervalSinceNow: Double(timeoutSeconds))
    while !text.contains(words) {
      guard Date() < end, read() else { return false }
    }
    return true
  }

  /// Reads all that the program still says, until its end.
  public func readToEnd(timeoutSeconds: Int = 60) {
    let end = Date(timeIntervalSinceNow: Double(timeoutSeconds))
    while Date() < end, read() {}
  }

  /// Closes the window.
  public func close() {
    if isOpen { Glibc.close(ours) }
    isOpen = false
  }

  /// Reads what there is within a tenth of a second; false at the end.
  private func read() -> Bool {
    var ready = pollfd(fd: ours, events: Int16(POLLIN), revents: 0)
    guard poll(&ready, 1, 100) > 0 else { return true }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(ours, &bytes, bytes.count)
    // Where nobody has the other side any more, reading is an error.
    guard count > 0 else { return false }
    text += String(decoding: bytes[..<count], as: UTF8.self)
    return true
  }
}
