import Glibc

/// Passes on bytes from one descriptor to another without ever waiting: it says what it waits for, and is told what is
/// ready.
struct Relay {
  private var source: Int32?
  private var sink: Int32?
  private var pending: ArraySlice<UInt8> = []
  /// The last byte that was passed on.
  private(set) var last: UInt8?
  /// The code of errno of the write that failed; from then on what comes is thrown away.
  private(set) var failure: Int32?

  /// As much as a pipe that is ready takes without waiting (POSIX: PIPE_BUF).
  private static let pieceBytes = 4096

  /// - Parameters:
  ///   - source: what is read; nil where everything comes from `append`.
  ///   - sink: what is written to.
  init(from source: Int32?, to sink: Int32) { (self.source, self.sink) = (source, sink) }

  /// Whether nothing more comes and all is passed on.
  var isDone: Bool { source == nil && pending.isEmpty }

  /// Whether there is something for a sink that may not be ready for it.
  var waitsForSink: Bool { !pending.isEmpty }

  /// What to wait for. A sink is also looked at while there is nothing for it: a pipe tells when its reader goes.
  var interests: [pollfd] {
    var wanted: [pollfd] = []
    if let sink { wanted.append(pollfd(fd: sink, events: pending.isEmpty ? 0 : Int16(POLLOUT), revents: 0)) }
    if let source, pending.isEmpty { wanted.append(pollfd(fd: source, events: Int16(POLLIN), revents: 0)) }
    return wanted
  }

  /// Bytes to pass on.
  mutating func append(_ bytes: some Sequence<UInt8>) { if sink != nil { pending += bytes } }

  /// Does what `poll` has found to be ready; `change` says what becomes of the bytes that are read.
  mutating func advance(_ ready: [pollfd], _ change: (ArraySlice<UInt8>) -> [UInt8] = { Array($0) }) {
    for descriptor in ready where descriptor.revents != 0 {
      if descriptor.fd == sink {
        pending.isEmpty ? lose(EPIPE) : write()
      } else if descriptor.fd == source {
        append(change(read()))
      }
    }
  }

  private mutating func read() -> ArraySlice<UInt8> {
    guard let source else { return [] }
    var bytes = [UInt8](repeating: 0, count: Relay.pieceBytes)
    let count = Glibc.read(source, &bytes, bytes.count)
    if count == 0 || count < 0 && errno != EINTR && errno != EAGAIN { self.source = nil }
    return bytes[..<max(0, count)]
  }

  private mutating func write() {
    guard let sink else { return }
    let piece = pending.prefix(Relay.pieceBytes)
    let count = piece.withUnsafeBytes { Glibc.write(sink, $0.baseAddress, $0.count) }
    if count > 0 {
      last = piece[piece.startIndex + count - 1]
      pending = pending.dropFirst(count)
    } else if count < 0, errno != EINTR, errno != EAGAIN {
      lose(errno)
    }
  }

  private mutating func lose(_ code: Int32) {
    failure = code
    sink = nil
    pending = []
  }

  /// Nothing more is read. What is pending is still passed on.
  mutating func closeSource() { source = nil }

  /// Tells the reader of a pipe of ours that nothing more comes.
  mutating func closeSink() {
    if let sink { close(sink) }
    sink = nil
  }
}
