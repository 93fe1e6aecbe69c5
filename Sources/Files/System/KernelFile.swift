import Glibc

/// Files that the kernel writes when they are read, as in /proc and /sys: their length is not known before.
package enum KernelFile {
  /// The text; nil where the file cannot be read, as `errno` says.
  package static func text(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var (text, piece) = ([UInt8](), [UInt8](repeating: 0, count: 4096))
    while true {
      let count = read(descriptor, &piece, piece.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { return nil }
      if count == 0 { return String(decoding: text, as: UTF8.self) }
      text += piece[..<count]
    }
  }

  /// The first line, without its line feed; nil where the file cannot be read.
  package static func firstLine(_ path: String) -> String? {
    text(path).map { String($0.prefix { $0 != "\n" }) }
  }
}
