import Glibc
import Problems

/// How many bytes a stored token has: as few as hold all numbers of the vocabulary, because a text larger than memory
/// is read from the disk again in every epoch.
enum TokenWidth: Int {
  case one = 1
  case two = 2
  case four = 4

  init(vocabulary count: Int) { self = count <= 1 << 8 ? .one : count <= 1 << 16 ? .two : .four }
}

/// The tokens of a text, in memory or in a file that is mapped: read in place, by any number of threads and processes.
package struct TokenSequence: RandomAccessCollection, @unchecked Sendable {
  /// 0.
  package let startIndex = 0
  /// The number of tokens.
  package let endIndex: Int
  private let first: UnsafeRawPointer
  private let width: TokenWidth
  /// Keeps what `first` points to.
  private let memory: MappedMemory

  /// Tokens in a copy of their own; exit code 70 where there is no memory for it.
  package init(_ tokens: [Int32]) throws(Problem) {
    let memory = try MappedMemory(byteCount: tokens.count * 4)
    memory.bytes.copyMemory(from: tokens, byteCount: tokens.count * 4)
    self.init(memory, offset: 0, count: tokens.count, width: .four)
  }

  /// `count` tokens from byte `offset` of the memory on.
  init(_ memory: MappedMemory, offset: Int, count: Int, width: TokenWidth) {
    precondition(offset >= 0 && count >= 0 && offset + count * width.rawValue <= memory.byteCount, "outside of memory")
    self.memory = memory
    self.width = width
    first = UnsafeRawPointer(memory.bytes + offset)
    endIndex = count
  }

  /// A token.
  package subscript(index: Int) -> Int32 {
    precondition(index >= 0 && index < endIndex, "no token \(index) of \(endIndex)")
    return switch width {
    case .one: Int32(first.load(fromByteOffset: index, as: UInt8.self))
    case .two: Int32(first.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
    case .four: first.loadUnaligned(fromByteOffset: 4 * index, as: Int32.self)
    }
  }

  /// Writes the tokens of `range` to places `stride` apart.
  func copy(_ range: Range<Int>, to target: UnsafeMutablePointer<Int32>, stride: Int) {
    precondition(range.lowerBound >= 0 && range.upperBound <= endIndex, "no tokens \(range) of \(endIndex)")
    switch width {
    case .one: copy(range, as: UInt8.self, to: target, stride: stride)
    case .two: copy(range, as: UInt16.self, to: target, stride: stride)
    case .four: copy(range, as: UInt32.self, to: target, stride: stride)
    }
  }

  @inline(__always)
  private func copy<Stored: FixedWidthInteger & BitwiseCopyable>(
    _ range: Range<Int>, as type: Stored.Type, to target: UnsafeMutablePointer<Int32>, stride: Int
  ) {
    let source = first + range.lowerBound * MemoryLayout<Stored>.size
    for t in 0..<range.count {
      let stored = source.loadUnaligned(fromByteOffset: t * MemoryLayout<Stored>.size, as: Stored.self)
      target[t * stride] = Int32(truncatingIfNeeded: stored)
    }
  }
}

/// The range, moved on by `distance`.
func + (range: Range<Int>, distance: Int) -> Range<Int> {
  range.lowerBound + distance..<range.upperBound + distance
}

/// Memory that the system gives and takes in pages: new, or that of a file.
final class MappedMemory: @unchecked Sendable {
  let bytes: UnsafeMutableRawPointer
  let byteCount: Int

  /// New memory of zeros.
  init(byteCount: Int) throws(Problem) {
    let memory = mmap(nil, max(1, byteCount), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else {
      throw Problem(.internalError, "out of memory — expected \(byteCount >> 20) MB more for tokens, got none")
    }
    (bytes, self.byteCount) = (memory, byteCount)
  }

  /// The first bytes of an open file, to read: all processes that map them share one copy. Nil where the system
  /// refuses, as `errno` says.
  /// - Precondition: `byteCount` ≥ 1, and the file has that many.
  init?(file descriptor: CInt, byteCount: Int) {
    guard let memory = mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor, 0), memory != MAP_FAILED else {
      return nil
    }
    (bytes, self.byteCount) = (memory, byteCount)
  }

  deinit { munmap(bytes, max(1, byteCount)) }
}
