import ExactMath
import Glibc
import Problems

/// What stands behind the header of a token file, on its way into it through a piece of memory.
final class TokenFileWriter {
  /// Bytes that are written, hashed and read back at once.
  static let pieceBytes = 1 << 20

  private let descriptor: CInt
  private let name: String
  private let width: TokenWidth
  private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 16)
  private var filled = 0
  /// XXH64 of all whole pieces so far, each with the hash of the previous ones as its seed.
  private(set) var checksum: UInt64 = 0

  /// Writes behind the place of the header; `name` is what an error calls the file.
  init(_ descriptor: CInt, width: TokenWidth, name: String) throws(Problem) {
    (self.descriptor, self.name, self.width) = (descriptor, name, width)
    guard lseek(descriptor, off_t(TokenFileHeader.byteCount), SEEK_SET) >= 0 else { throw .unwritable(name) }
  }

  deinit { piece.deallocate() }

  /// - Precondition: tokens are numbers of a vocabulary that the width is for.
  func write(_ tokens: [Int32]) throws(Problem) {
    var next = 0
    while next < tokens.count {
      let count = min(tokens.count - next, (piece.count - filled) / width.rawValue)
      let part = tokens[next..<next + count]
      switch width {
      case .one: store(part, as: UInt8.self)
      case .two: store(part, as: UInt16.self)
      case .four: store(part, as: UInt32.self)
      }
      next += count
      if filled == piece.count { try flush() }
    }
  }

  private func store<Stored: FixedWidthInteger>(_ tokens: ArraySlice<Int32>, as type: Stored.Type) {
    let place = (piece.baseAddress! + filled).assumingMemoryBound(to: Stored.self)
    tokens.withUnsafeBufferPointer { tokens in
      for index in 0..<tokens.count { place[index] = Stored(truncatingIfNeeded: tokens[index]).littleEndian }
    }
    filled += tokens.count * MemoryLayout<Stored>.size
  }

  /// - Precondition: no tokens follow.
  func write(bytes: [UInt8]) throws(Problem) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = rest.prefix(piece.count - filled)
      UnsafeMutableRawBufferPointer(rebasing: piece[filled...]).copyBytes(from: part)
      filled += part.count
      rest = rest.dropFirst(part.count)
      if filled == piece.count { try flush() }
    }
  }

  /// Writes what is left of the last piece.
  func flush() throws(Problem) {
    guard filled > 0 else { return }
    let bytes = UnsafeRawBufferPointer(rebasing: piece[..<filled])
    checksum = XXHash64.hash(bytes, seed: checksum)
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .unwritable(name) }
      done += count
    }
    filled = 0
  }
}

extension Problem {
  /// The error that `errno` names, of a token file or its directory.
  static func unwritable(_ path: String) -> Problem {
    let reason = String(cString: strerror(errno)).lowercased()
    return .file(
      "tokens cannot be written — expected room in a directory that can be written to, got \"\(reason)\" (\(path))",
      hint: cacheHint)
  }

  static let cacheHint = "make room there, or name another directory for them with \(TokenCache.variable)=DIR"
}
