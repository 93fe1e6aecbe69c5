import CSystem
import Crypto
import Glibc
import Problems

// The boundary to the system: each call's return code is checked here, EINTR is tried again, and a failure becomes a
// Problem that says what could not be done, why in words, and where.

extension Problem {
  /// What could not be done because the system refused it: `code` is its errno.
  package init(_ what: String, code: Int32, at place: Place) {
    let refusal = Refusal(code)
    self.init(
      .inputOutput, what, expected: refusal.expected, got: refusal.got, at: "\(place)", hint: refusal.hint)
  }
}

/// Calls until the call is not interrupted by a signal; a result of −1 becomes an error that begins with `what`. `body`
/// gets the arguments by which calls such as `openat` know the place.
@discardableResult
package func checked<Result: SignedInteger>(
  _ what: @autoclosure () -> String, _ place: Place, _ body: (_ directory: Int32, _ path: String) -> Result
) throws(Problem) -> Result {
  while true {
    let result = place.call(body)
    if result != -1 { return result }
    let code = errno
    if code != EINTR { throw Problem(what(), code: code, at: place) }
  }
}

/// The length and the SHA-256 of a file.
package struct FileDigest: Equatable, Sendable {
  /// Bytes in the file.
  package let length: Int
  /// Lowercase hexadecimal SHA-256 of its bytes.
  package let sha256: String

  package init(length: Int, sha256: String) { (self.length, self.sha256) = (length, sha256) }
}

/// Lowercase hexadecimal SHA-256 over arrays of integers, little-endian, each array with its length before it.
package func sha256(ofParts parts: [[Int32]]) -> String {
  var hash = SHA256()
  for part in parts {
    withUnsafeBytes(of: part.count.littleEndian) { hash.update(bufferPointer: $0) }
    part.withUnsafeBytes { hash.update(bufferPointer: $0) }
  }
  return hexadecimal(hash.finalize())
}

/// Lowercase hexadecimal text of a digest.
package func hexadecimal(_ digest: SHA256.Digest) -> String {
  digest.map(hexadecimal).joined()
}

// MARK: Reading

/// A regular file open for reading at any place; several threads may read at once.
package final class InputFile: Sendable {
  package let place: Place
  /// What it was known by when it was opened.
  package let state: FileState
  private let descriptor: Int32

  /// Bytes when it was opened.
  package var length: Int { state.size }

  /// Opens an existing regular file; a pipe is refused: it has no length and can be read only once.
  /// - Parameters:
  ///   - what: what an error calls the file.
  ///   - followLinks: false for files that a manifest names: a link could lead out of the checkpoint.
  package init(_ place: Place, as what: String? = nil, followLinks: Bool = true) throws(Problem) {
    let cannotRead = what.map { "\($0) cannot be read" } ?? "cannot read"
    // O_NONBLOCK: opening a pipe must not wait for a writer.
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followLinks ? 0 : O_NOFOLLOW)
    let descriptor = try checked(cannotRead, place) { openat($0, $1, flags) }
    var information = stat()
    do throws(Problem) {
      try checked(cannotRead, place) { _, _ in fstat(descriptor, &information) }
      guard information.st_mode & S_IFMT == S_IFREG else {
        let got = information.st_mode & S_IFMT == S_IFDIR ? "a directory" : "a device or pipe"
        throw Problem(.inputOutput, cannotRead, expected: "a file", got: got, at: "\(place)")
      }
    } catch {
      close(descriptor)
      throw error
    }
    self.place = place
    self.descriptor = descriptor
    state = FileState(information)
  }

  deinit { close(descriptor) }

  /// Fills the buffer from the file's bytes at `offset`.
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(Problem) {
    var done = 0
    while done < buffer.count {
      let count = try checked("cannot read", place) { _, _ in
        pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      }
      guard count > 0 else {
        throw Problem(
          .badData, "file became shorter while it was read", expected: counted(length, "byte"),
          got: "\(offset + done)", at: "\(place)")
      }
      done += count
    }
  }

  /// `count` bytes from `offset`. The caller has checked both against `length`.
  package func bytes(at offset: Int, count: Int) throws(Problem) -> [UInt8] {
    var problem: Problem?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(Problem) {
        try read(
          into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]), at: offset)
        initialized = count
      } catch {
        problem = error
      }
    }
    if let problem { throw problem }
    return bytes
  }

  /// Hands out the bytes of a range in order, in pieces of at most 1 MiB; every piece but the last is a multiple of 8.
  package func forEachPiece(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: min(range.count, 1 << 20), alignment: 4096)
    defer { piece.deallocate() }
    var offset = range.lowerBound
    while offset < range.upperBound {
      let part = UnsafeMutableRawBufferPointer(rebasing: piece[..<min(piece.count, range.upperBound - offset)])
      try read(into: part, at: offset)
      try body(UnsafeRawBufferPointer(part))
      offset += part.count
    }
  }

  /// The length and SHA-256 of the whole file.
  /// - Parameter pace: of a file that has just been written and is not needed soon. It is then read from the disk, not
  ///   from the system's copy, where the file system can do that; which also spares the processor that copy.
  package func digest(_ pace: Pace? = nil) throws -> FileDigest {
    var hash = SHA256()
    func add(_ range: Range<Int>) throws {
      try forEachPiece(range) {
        hash.update(bufferPointer: $0)
        pace?.finishedPiece()
      }
    }
    let wholeBlocks = pace != nil && system_bypass_cache(descriptor) != 0 ? length / 4096 * 4096 : 0
    try add(0..<wholeBlocks)
    system_use_cache(descriptor)
    try add(wholeBlocks..<length)
    return FileDigest(length: length, sha256: hexadecimal(hash.finalize()))
  }
}

// MARK: Writing

/// A new file that is written from front to back, hashed as it goes, and is on the disk when `finish` returns.
package struct OutputFile: ~Copyable {
  package let place: Place
  private var descriptor: Int32
  private var length = 0
  private var hash = SHA256()

  /// Creates the file; one of that name must not exist.
  package init(creating place: Place) throws {
    self.place = place
    descriptor = try checked("cannot make the file", place) {
      openat($0, $1, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
    try writeAll(bytes, to: descriptor, place)
    // So that `finish` finds little left to wait for, and the disk is not asked for all at once.
    if bytes.count >= 1 << 16 { system_start_writing(descriptor) }
    hash.update(bufferPointer: bytes)
    length += bytes.count
  }

  package mutating func write(_ text: String) throws {
    var text = text
    try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
  }

  /// Waits until the bytes are on the disk, and closes the file. Who reads it next reads the disk, not memory, as far
  /// as the file system knows the difference.
  package mutating func finish() throws -> FileDigest {
    try checked("cannot write to the disk", place) { [descriptor] _, _ in fsync(descriptor) }
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    let finished = descriptor
    descriptor = -1
    // Not tried again: on Linux the descriptor is gone even after EINTR.
    if close(finished) == -1, errno != EINTR { throw Problem("cannot write", code: errno, at: place) }
    return FileDigest(length: length, sha256: hexadecimal(hash.finalize()))
  }
}

/// Writes all the bytes, in as many calls as the system wants.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ place: Place) throws {
  var done = 0
  while done < bytes.count {
    done += try checked("cannot write", place) { _, _ in
      write(descriptor, bytes.baseAddress! + done, bytes.count - done)
    }
  }
}

/// Replaces or creates a whole file: a reader, or a crash at any moment, finds the old content or the new, never a mix.
package func writeAtomically(_ text: String, to place: Place) throws {
  try writeAtomically(to: place) { append in try append(text) }
}

/// The same for a text that is made piece after piece.
package func writeAtomically(
  to place: Place, _ body: (_ append: (String) throws -> Void) throws -> Void
) throws {
  try replaceFile(place) { temporary in
    var file = try OutputFile(creating: temporary)
    try body { try file.write($0) }
    return try file.finish()
  }
}

/// Lets `create` make a file under a temporary name beside the place, and renames it; where that fails the old file
/// stays.
@discardableResult
package func replaceFile(_ place: Place, _ create: (_ temporary: Place) throws -> FileDigest) throws -> FileDigest {
  let temporary = place.partial
  do {
    try removeTree(temporary)
    let digest = try create(temporary)
    try move(temporary, to: place)
    try syncDirectory(place.directory)
    return digest
  } catch {
    // The first error is the one to report.
    try? removeTree(temporary)
    throw error
  }
}
