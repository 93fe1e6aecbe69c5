import Glibc

/// Files of data, read whole.
public enum TextFile {
  /// The bytes of the regular file at `path`. A path that is missing, unreadable or not a regular file is an error with
  /// exit code 74; pipes are refused because every rank reads the file, and a pipe could be read by one only.
  /// - Parameter what: What an error calls the file.
  public static func read(_ path: String, as what: String = "text file") throws(SequenceError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure(path, what) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure(path, what) }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG else {
      throw .file("\(what) — expected a file, got \(kind == S_IFDIR ? "a directory" : "a device or pipe") (\(path))")
    }
    guard let bytes = read(descriptor, size: Int(status.st_size)) else { throw failure(path, what) }
    return bytes
  }

  /// The first `size` bytes, or fewer where the file has become shorter since its size was asked; nil for an error,
  /// which `errno` names.
  private static func read(_ descriptor: CInt, size: Int) -> [UInt8]? {
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
    return failed ? nil : bytes
  }

  /// The error that `errno` names.
  private static func failure(_ path: String, _ what: String) -> SequenceError {
    let reason = String(cString: strerror(errno)).lowercased()
    return .file("\(what) cannot be read — expected a readable file, got \"\(reason)\" (\(path))")
  }
}
