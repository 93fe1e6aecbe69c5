import Glibc

/// Files of text, read whole.
public enum TextFile {
  /// The bytes of the regular file at `path`. A path that is missing, unreadable or not a regular file is an error with
  /// exit code 74; pipes are refused because every rank reads the text, and a pipe could be read by one only.
  public static func read(_ path: String) throws(SequenceError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure(path) }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG else {
      throw .file("text file — expected a file, got \(kind == S_IFDIR ? "a directory" : "a device or pipe") (\(path))")
    }
    return try read(descriptor, size: Int(status.st_size), path: path)
  }

  /// The first `size` bytes, or fewer where the file has become shorter since its size was asked.
  private static func read(_ descriptor: CInt, size: Int, path: String) throws(SequenceError) -> [UInt8] {
    var failed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        #if canImport(Glibc)
          let got = Glibc.read(descriptor, buffer.baseAddress! + count, size - count)
        #else
          let got = Darwin.read(descriptor, buffer.baseAddress! + count, size - count)
        #endif
        if got < 0 && errno == EINTR { continue }
        failed = got < 0
        if got <= 0 { break }
        count += got
      }
    }
    if failed { throw failure(path) }
    return bytes
  }

  /// The error that `errno` names.
  private static func failure(_ path: String) -> SequenceError {
    let reason = String(cString: strerror(errno)).lowercased()
    return .file("text file cannot be read — expected a readable file, got \"\(reason)\" (\(path))")
  }
}
