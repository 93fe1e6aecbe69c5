import Files
import Glibc

/// Where the standard output of a process goes: of this one, or of the mpirun that reads a rank's output and passes it
/// on. Open MPI 4.1 throws away what it cannot write, and ends with 0 all the same, so a rank has to look for itself.
/// What cannot be seen counts as good.
struct OutputTarget {
  /// As a folder of /proc is called: `self` or a process id.
  private let process: String
  /// Where mpirun's file stood when the program began; nil for an output that is no file, or is this process's own.
  private let firstPosition: Int?

  /// Where this process prints in the end.
  init() {
    guard let launcher = OutputTarget.mpirun else {
      (process, firstPosition) = ("self", nil)
      return
    }
    process = launcher
    firstPosition = OutputTarget.state(ofOutputOf: launcher)?.position
  }

  /// The process id of the mpirun that passes on what this rank prints. A daemon on another host is none: its output is
  /// not the user's.
  static var mpirun: String? {
    guard getenv("OMPI_COMM_WORLD_RANK") != nil else { return nil }
    let name = KernelFile.text("/proc/\(getppid())/comm")?.split(separator: "\n").first
    return name.map { ["mpirun", "mpiexec", "orterun", "prterun"].contains($0) } == true ? "\(getppid())" : nil
  }

  private var path: String { "/proc/\(process)/fd/1" }

  /// Whether it is a terminal.
  var isTerminal: Bool {
    if process == "self" { return isatty(STDOUT_FILENO) == 1 }
    var target = [CChar](repeating: 0, count: 256)
    let length = readlink(path, &target, target.count - 1)
    guard length > 0 else { return false }
    let name = String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return name.hasPrefix("/dev/pts/") || name.hasPrefix("/dev/tty")
  }

  /// What can be seen without writing: that it is closed, nobody reads it, or it is a device that is always full.
  var failure: OutputFailure? {
    errno = 0
    guard let state = OutputTarget.state(ofOutputOf: process) else { return errno == ENOENT ? .closed : nil }
    // An mpirun whose output is closed has since opened something else there, to read from it.
    if state.flags & O_ACCMODE == O_RDONLY { return .closed }
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFCHR: return status.st_rdev == 0x107 ? .full : nil  // /dev/full
    case S_IFIFO: return hasNoReader ? .readerGone : nil
    default: return nil
    }
  }

  private var hasNoReader: Bool {
    let descriptor = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
    if descriptor >= 0 { close(descriptor) }
    return descriptor < 0 && errno == ENXIO
  }

  /// Whether mpirun has a full disk before it, and has not written as many bytes as it was given. Waits a second for it.
  func hasLost(ofBytes count: Int) -> Bool {
    guard let firstPosition else { return false }
    for _ in 0..<100 {
      guard isOnFullDisk, let position = OutputTarget.state(ofOutputOf: process)?.position,
        position < firstPosition + count
      else { return false }
      usleep(10_000)
    }
    return true
  }

  private var isOnFullDisk: Bool {
    var (disk, status) = (statvfs(), stat())
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, statvfs(path, &disk) == 0, disk.f_blocks > 0
    else { return false }
    return (geteuid() == 0 ? disk.f_bfree : disk.f_bavail) == 0
  }

  /// Offset and flags of a process's output (proc(5), `/proc/pid/fdinfo`).
  private static func state(ofOutputOf process: String) -> (position: Int, flags: Int32)? {
    guard let text = KernelFile.text("/proc/\(process)/fdinfo/1") else { return nil }
    var fields: [Substring: Substring] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace)
      if words.count == 2 { fields[words[0]] = words[1] }
    }
    guard let position = fields["pos:"].flatMap({ Int($0) }),
      let flags = fields["flags:"].flatMap({ Int32($0, radix: 8) })
    else { return nil }
    return (position, flags)
  }
}
