import Glibc

// Paths and directories, on the system's calls.

/// `name` in `directory`.
func joined(_ directory: String, _ name: String) -> String {
  directory.hasSuffix("/") ? directory + name : directory + "/" + name
}

/// The path without slashes at its end.
func trimmed(_ path: String) -> String {
  var path = path
  while path.count > 1, path.hasSuffix("/") { path.removeLast() }
  return path
}

/// The directory that the path lies in.
func directory(of path: String) -> String {
  let path = trimmed(path)
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The last name of the path.
func lastComponent(of path: String) -> String {
  let path = trimmed(path)
  return path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}

/// What a path leads to.
enum Entry { case absent, file, directory }

/// What the path leads to; `followLinks` false: the link itself, which counts as a file.
func entry(_ path: String, followLinks: Bool = true) throws -> Entry {
  var information = stat()
  while (followLinks ? stat(path, &information) : lstat(path, &information)) == -1 {
    switch errno {
    case EINTR: continue
    case ENOENT: return .absent
    default: throw CheckpointError(systemCall: "stat", code: errno, at: path)
    }
  }
  return information.st_mode & S_IFMT == S_IFDIR ? .directory : .file
}

/// The names in a directory, in byte order.
func names(in path: String) throws -> [String] {
  guard let stream = opendir(path) else { throw CheckpointError(systemCall: "opendir", code: errno, at: path) }
  defer { closedir(stream) }
  var names: [String] = []
  errno = 0
  while let item = readdir(stream) {
    let name = withUnsafePointer(to: &item.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
    errno = 0
  }
  guard errno == 0 else { throw CheckpointError(systemCall: "readdir", code: errno, at: path) }
  return names.sorted(by: precedes)
}

/// Byte order of UTF-8. (Swift's `<` compares normalized text.)
func precedes(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }

/// Makes a directory and the ones above it, where they are missing.
func makeDirectories(_ path: String) throws {
  if try entry(path) == .directory { return }
  if directory(of: path) != path { try makeDirectories(directory(of: path)) }
  if mkdir(path, 0o755) == -1, errno != EEXIST { throw CheckpointError(systemCall: "mkdir", code: errno, at: path) }
}

func makeDirectory(_ path: String) throws { try checked("mkdir", path) { mkdir(path, 0o755) } }

func move(_ source: String, to target: String) throws {
  try checked("rename", "\(source) to \(target)") { rename(source, target) }
}

/// Waits until the names in a directory are on the disk.
func syncDirectory(_ path: String) throws {
  let descriptor = try checked("open", path) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
  defer { close(descriptor) }
  try checked("fsync", path) { fsync(descriptor) }
}

/// Removes a file or a directory with all that is in it, if there is one; a link is removed, not followed.
public func removeTree(_ path: String) throws {
  switch try entry(path, followLinks: false) {
  case .absent: return
  case .file: try checked("unlink", path) { unlink(path) }
  case .directory:
    for name in try names(in: path) { try removeTree(joined(path, name)) }
    try checked("rmdir", path) { rmdir(path) }
  }
}
