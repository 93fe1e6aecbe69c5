import Glibc
import Problems

// Paths and directories, on the system's calls.

/// `name` in `directory`.
package func joined(_ directory: String, _ name: String) -> String {
  directory.hasSuffix("/") ? directory + name : directory + "/" + name
}

/// The path without slashes at its end.
package func trimmed(_ path: String) -> String {
  var path = path
  while path.count > 1, path.hasSuffix("/") { path.removeLast() }
  return path
}

/// The directory that the path lies in.
package func directory(of path: String) -> String {
  let path = trimmed(path)
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The last name of the path.
package func lastComponent(of path: String) -> String {
  let path = trimmed(path)
  return path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}

/// What a place leads to.
package enum Entry { case absent, file, directory }

/// What the place leads to; `followLinks` false: the link itself, which counts as a file.
package func entry(_ place: Place, followLinks: Bool = true) throws(Problem) -> Entry {
  var information = stat()
  while place.call({ fstatat($0, $1, &information, followLinks ? 0 : AT_SYMLINK_NOFOLLOW) }) == -1 {
    switch errno {
    case EINTR: continue
    case ENOENT: return .absent
    default: throw Problem("cannot look for a file", code: errno, at: place)
    }
  }
  return information.st_mode & S_IFMT == S_IFDIR ? .directory : .file
}

/// The names in a directory, in byte order. One that is not UTF-8 is an error: a String cannot hold it, and with its
/// bytes repaired it might be taken for another.
/// - Parameters:
///   - what: what an error calls the directory.
///   - withHidden: whether names that begin with a dot count.
package func names(
  in place: Place, as what: String = "directory", withHidden: Bool = true
) throws(Problem) -> [String] {
  let descriptor = try checked("\(what) cannot be read", place) {
    openat($0, $1, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  }
  guard let stream = fdopendir(descriptor) else {
    let code = errno
    close(descriptor)
    throw Problem("\(what) cannot be read", code: code, at: place)
  }
  defer { closedir(stream) }
  var names: [String] = []
  errno = 0
  while let item = readdir(stream) {
    let bytes = withUnsafeBytes(of: &item.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
    if bytes.first == UInt8(ascii: "."), !withHidden { continue }
    guard let name = String(validating: bytes, as: UTF8.self) else {
      throw Problem(
        .badData, "file name is not UTF-8", expected: "UTF-8", got: "\"\(escaped(bytes))\"", at: "\(place)",
        hint: "rename the file or remove it")
    }
    if name != ".", name != ".." { names.append(name) }
    errno = 0
  }
  guard errno == 0 else { throw Problem("\(what) cannot be read", code: errno, at: place) }
  return names.sorted(by: precedes)
}

/// Byte order of UTF-8. (Swift's `<` compares normalized text.)
package func precedes(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }

/// Makes a directory and the ones above it, where they are missing; their names are then on the disk.
package func makeDirectories(_ path: String) throws(Problem) {
  if try entry(Place(path)) == .directory { return }
  if directory(of: path) != path { try makeDirectories(directory(of: path)) }
  if mkdir(path, 0o755) == -1, errno != EEXIST {
    throw Problem("cannot make the directory", code: errno, at: Place(path))
  }
  try syncDirectory(Place(directory(of: path)))
}

package func makeDirectory(_ place: Place) throws {
  try checked("cannot make the directory", place) { mkdirat($0, $1, 0o755) }
}

/// Makes a directory whose name is then on the disk.
package func makeDurableDirectory(_ place: Place) throws {
  try makeDirectory(place)
  try syncDirectory(place.directory)
}

package func move(_ source: Place, to target: Place) throws {
  try checked("cannot rename \(source)", target) { directory, path in
    source.call { renameat($0, $1, directory, path) }
  }
}

/// Waits until the names in a directory are on the disk.
package func syncDirectory(_ place: Place) throws(Problem) {
  let descriptor = try checked("cannot open the directory", place) {
    openat($0, $1, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  }
  defer { close(descriptor) }
  try checked("cannot write the directory to the disk", place) { _, _ in fsync(descriptor) }
}

/// Waits until what has been written to a file, by whomever, is on the disk, if there is such a file. One that is no
/// regular file, such as /dev/null, has nothing to wait for.
package func syncFile(_ place: Place) throws {
  if try entry(place) == .absent { return }
  let descriptor = try checked("cannot open the file", place) { openat($0, $1, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
  defer { close(descriptor) }
  var information = stat()
  try checked("cannot read", place) { _, _ in fstat(descriptor, &information) }
  guard information.st_mode & S_IFMT == S_IFREG else { return }
  try checked("cannot write the file to the disk", place) { _, _ in fsync(descriptor) }
}

/// Removes a file or a directory with all that is in it, if there is one; a link is removed, not followed.
package func removeTree(_ path: String) throws { try removeTree(Place(path)) }

package func removeTree(_ place: Place) throws {
  switch try entry(place, followLinks: false) {
  case .absent: return
  case .file: try remove(place)
  case .directory:
    for name in try names(in: place) { try removeTree(place.at(name)) }
    try checked("cannot remove the directory", place) { unlinkat($0, $1, AT_REMOVEDIR) }
  }
}

/// Removes a file.
package func remove(_ place: Place) throws { try checked("cannot remove the file", place) { unlinkat($0, $1, 0) } }

/// Whether the place leads to what is open under this descriptor.
package func isFile(_ place: Place, openAs descriptor: Int32) -> Bool {
  var (opened, named) = (stat(), stat())
  return fstat(descriptor, &opened) == 0 && place.call { fstatat($0, $1, &named, 0) } == 0
    && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
}
