import Crypto
import Glibc
import Problems

/// Files of data, read whole or in pieces.
package enum TextFile {
  /// The bytes of the regular file at `path`. A path that is missing, unreadable or not a regular file is an error with
  /// exit code 74; pipes are refused because every rank reads the file, and a pipe could be read by one only.
  /// - Parameter what: What an error calls the file.
  package static func read(_ path: String, as what: String = "text file") throws(Problem) -> [UInt8] {
    let (descriptor, status) = try open(path, what)
    defer { close(descriptor) }
    guard let bytes = read(descriptor, size: Int(status.st_size)) else { throw failure(path, what) }
    return bytes
  }

  private static func open(_ path: String, _ what: String) throws(Problem) -> (descriptor: CInt, status: stat) {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure(path, what) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      close(descriptor)
      throw failure(path, what)
    }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG else {
      close(descriptor)
      throw .file("\(what) — expected a file, got \(kind == S_IFDIR ? "a directory" : "a device or pipe") (\(path))")
    }
    return (descriptor, status)
  }

  /// What a regular file is known by, without reading it: size, inode and times. Not its device, whose number may be
  /// another one on each host and after each start.
  package struct State: Equatable {
    package let size: Int
    private let numbers: [Int]

    fileprivate init(_ status: stat) {
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
    package static func digest(_ states: [State]) -> [UInt8] {
      let words = states.flatMap { [$0.size] + $0.numbers }
      return words.withUnsafeBytes { Array(SHA256.hash(data: $0)) }
    }
  }

  /// The state of the file at `path`; errors as `read` has them.
  package static func state(_ path: String, as what: String = "text file") throws(Problem) -> State {
    let (descriptor, status) = try open(path, what)
    close(descriptor)
    return State(status)
  }

  /// Calls `body` with the bytes of a file that may be larger than memory, in pieces of `size` and a shorter last one.
  /// Errors as `read` has them.
  package static func forEachPiece(
    of path: String, size: Int, as what: String = "text file", _ body: ([UInt8]) throws(Problem) -> Void
  ) throws(Problem) {
    let descriptor = try open(path, what).descriptor
    defer { close(descriptor) }
    while true {
      guard let piece = read(descriptor, size: size) else { throw failure(path, what) }
      if piece.isEmpty { return }
      try body(piece)
    }
  }

  /// Calls `body` with each line of a file that may be larger than memory, without its line feed, piece by piece; an
  /// end of the file without one ends a line too. A byte order mark at the beginning is passed over. A line of more than
  /// `longest` bytes is an error with exit code 65; others as `read` has them.
  package static func forEachLine(
    of path: String, longest: Int, as what: String, _ body: (ArraySlice<UInt8>) throws(Problem) -> Void
  ) throws(Problem) {
    let descriptor = try open(path, what).descriptor
    defer { close(descriptor) }
    var (rest, isFirst): ([UInt8], Bool) = ([], true)
    while true {
      guard let piece = read(descriptor, size: max(longest, 1 << 16)) else { throw failure(path, what) }
      let text = rest + piece
      var start = isFirst ? UTF8Text.lengthOfByteOrderMark(text) : 0
      isFirst = false
      while let end = text[start...].firstIndex(of: UInt8(ascii: "\n")), end - start <= longest {
        try body(text[start..<end])
        start = end + 1
      }
      rest = Array(text[start...])
      guard rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.count <= longest else {
        throw .data("line is too long — expected at most \(longest) bytes, got more (\(path))")
      }
      if piece.isEmpty {
        if !rest.isEmpty { try body(rest[...]) }
        return
      }
    }
  }

  /// The first `size` bytes, or fewer where the file has become shorter since its size was asked; nil for an error,
  /// which `errno` names.
  private static func read(_ descriptor: CInt, size: Int) -> [UInt8]? {
    var failed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let got = Glibc.read(descriptor, buffer.baseAddress! + count, size - count)
        if got < 0 && errno == EINTR { continue }
        failed = got < 0
        if got <= 0 { break }
        count += got
      }
    }
    return failed ? nil : bytes
  }

  /// The error that `errno` names.
  package static func failure(_ path: String, _ what: String) -> Problem {
    let reason = String(cString: strerror(errno)).lowercased()
    return .file("\(what) cannot be read — expected a readable file, got \"\(reason)\" (\(path))")
  }
}
