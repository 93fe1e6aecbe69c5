import Crypto
import ExactMath
import Foundation
import Glibc
import Problems

/// An open token file.
final class TokenFile {
  let path: String
  let header: TokenFileHeader
  private let descriptor: CInt

  /// Opens the file at a path; nil where there is none, nor perhaps a directory. `Flaw` where it is not a token file.
  static func open(_ path: String) throws -> TokenFile? {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 && (errno == ENOENT || errno == ENOTDIR) { return nil }
    guard descriptor >= 0 else { throw Problem.unreadable(path) }
    let file = try TokenFile(descriptor, path)
    try file.expectOwn()
    return file
  }

  /// Takes the descriptor over.
  init(_ descriptor: CInt, _ path: String) throws {
    (self.descriptor, self.path) = (descriptor, path)
    do {
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { throw Problem.unreadable(path) }
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw TokenFileHeader.Flaw(expected: "a file", got: "something else")
      }
      var bytes = [UInt8](repeating: 0, count: TokenFileHeader.byteCount)
      let count = pread(descriptor, &bytes, bytes.count, 0)
      guard count >= 0 else { throw Problem.unreadable(path) }
      header = try TokenFileHeader(Array(bytes.prefix(count)), fileLength: Int(status.st_size))
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// One process checks the file and the others trust it, so nobody else may be able to change it.
  private func expectOwn() throws(Problem) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(path) }
    guard [0, geteuid()].contains(status.st_uid), status.st_mode & 0o022 == 0 else {
      throw .file(
        "token file can be changed by others — expected one of user \(geteuid()) that nobody else can write to, got "
          + "user \(status.st_uid), mode \(String(status.st_mode & 0o7777, radix: 8)) (\(path))",
        hint: "name a directory of your own with \(TokenCache.variable)=DIR")
    }
  }

  /// The file's bytes in memory, shared by all who map it.
  func map() throws(Problem) -> MappedMemory {
    let length = TokenFileHeader.byteCount + header.tokenBytes + header.vocabularyBytes
    guard let memory = MappedMemory(file: descriptor, byteCount: length) else {
      throw Problem.unreadable(path)
    }
    return memory
  }

  /// The vocabulary; exit code 65 where it is malformed.
  func vocabularyJSON() throws(Problem) -> [UInt8] {
    var json: [UInt8] = []
    json.reserveCapacity(header.vocabularyBytes)
    let start = TokenFileHeader.byteCount + header.tokenBytes
    try TokenFile.forEachPiece(descriptor, start..<start + header.vocabularyBytes, path) { json += $0 }
    return json
  }

  /// Reads all of the file and throws a `Flaw` unless it is as it was written, with tokens of its vocabulary.
  func check() throws {
    let (start, tokens) = (TokenFileHeader.byteCount, header.tokenBytes)
    var (checksum, largest, done): (UInt64, UInt32, Int) = (0, 0, 0)
    try TokenFile.forEachPiece(descriptor, start..<start + tokens + header.vocabularyBytes, path) { piece in
      checksum = XXHash64.hash(piece, seed: checksum)
      let part = UnsafeRawBufferPointer(rebasing: piece[..<max(0, min(piece.count, tokens - done))])
      largest = max(largest, TokenFile.largest(in: part, header.width))
      done += piece.count
    }
    guard checksum == header.checksum else {
      throw TokenFileHeader.Flaw(expected: "the checksum of its header", got: "other bytes")
    }
    guard let vocabulary = try? Vocabulary(json: Data(vocabularyJSON()), name: path) else {
      throw TokenFileHeader.Flaw(expected: "a vocabulary behind the tokens", got: "something else")
    }
    guard largest < vocabulary.count else {
      throw TokenFileHeader.Flaw(expected: "tokens below \(vocabulary.count)", got: "\(largest)")
    }
  }

  /// SHA-256 of the tokens, as if each had four bytes, each part with its number of tokens before it.
  static func tokensSHA256(
    _ descriptor: CInt, _ header: TokenFileHeader, _ name: String
  ) throws(Problem) -> [UInt8] {
    var (hash, start) = (SHA256(), TokenFileHeader.byteCount)
    for count in [header.training, header.validation] {
      withUnsafeBytes(of: UInt64(count).littleEndian) { hash.update(bufferPointer: $0) }
      let end = start + count * header.width.rawValue
      try forEachPiece(descriptor, start..<end, name) { piece in
        widened(piece, header.width).withUnsafeBytes { hash.update(bufferPointer: $0) }
      }
      start = end
    }
    return Array(hash.finalize())
  }

  // MARK: Pieces

  /// Calls `body` with the bytes of a range in pieces of the size in which they were written.
  private static func forEachPiece(
    _ descriptor: CInt, _ range: Range<Int>, _ path: String, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(Problem) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: TokenFileWriter.pieceBytes, alignment: 16)
    defer { memory.deallocate() }
    var place = range.lowerBound
    while place < range.upperBound {
      let size = min(memory.count, range.upperBound - place)
      var count = 0
      while count < size {
        let got = pread(descriptor, memory.baseAddress! + count, size - count, off_t(place + count))
        if got < 0 && errno == EINTR { continue }
        guard got >= 0 else { throw Problem.unreadable(path) }
        guard got > 0 else {
          throw .file(
            "token file has become shorter while it was read — expected \(range.upperBound) bytes, got \(place + count) "
              + "(\(path))", hint: "start again; files of the cache may be removed while no job runs")
        }
        count += got
      }
      body(UnsafeRawBufferPointer(rebasing: memory[..<size]))
      place += size
    }
  }

  private static func largest(in bytes: UnsafeRawBufferPointer, _ width: TokenWidth) -> UInt32 {
    func largest<Stored: FixedWidthInteger>(_ stored: UnsafeBufferPointer<Stored>) -> UInt32 {
      var result: Stored = 0
      for index in 0..<stored.count { result = max(result, stored[index]) }
      return UInt32(result)
    }
    return switch width {
    case .one: largest(bytes.assumingMemoryBound(to: UInt8.self))
    case .two: largest(bytes.assumingMemoryBound(to: UInt16.self))
    case .four: largest(bytes.assumingMemoryBound(to: UInt32.self))
    }
  }

  private static func widened(_ bytes: UnsafeRawBufferPointer, _ width: TokenWidth) -> [Int32] {
    func widened<Stored: FixedWidthInteger>(_ stored: UnsafeBufferPointer<Stored>) -> [Int32] {
      [Int32](unsafeUninitializedCapacity: stored.count) { tokens, count in
        for index in 0..<stored.count { tokens[index] = Int32(truncatingIfNeeded: stored[index]) }
        count = stored.count
      }
    }
    return switch width {
    case .one: widened(bytes.assumingMemoryBound(to: UInt8.self))
    case .two: widened(bytes.assumingMemoryBound(to: UInt16.self))
    case .four: widened(bytes.assumingMemoryBound(to: UInt32.self))
    }
  }
}

extension Problem {
  /// The error that `errno` names, of a token file.
  fileprivate static func unreadable(_ path: String) -> Problem {
    let reason = String(cString: strerror(errno)).lowercased()
    return .file(
      "token file cannot be read — expected a readable file, got \"\(reason)\" (\(path))",
      hint: "remove it, or name another directory for tokens with \(TokenCache.variable)=DIR")
  }
}
