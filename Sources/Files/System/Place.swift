import Glibc
import Problems
import Synchronization

/// How the name of work in progress begins.
package let partialPrefix = ".partial-"

/// Where a file or directory is: a path, or a path below a directory that is held open. What is read and written below
/// an open directory is in that directory, wherever it is moved and whatever takes its name.
package struct Place: Sendable, CustomStringConvertible {
  private let anchor: OpenDirectory?
  /// The path from the anchor, empty for the anchor itself; from the working directory where there is no anchor.
  private let path: String

  /// The place of a path.
  package init(_ path: String) { self.init(nil, path) }

  private init(_ anchor: OpenDirectory?, _ path: String) { (self.anchor, self.path) = (anchor, path) }

  /// The directory that is here, held open from now on.
  package func opened() throws -> Place { Place(try OpenDirectory(self), "") }

  /// The directory that is held open; nil for a path.
  package var openDirectory: OpenDirectory? { anchor }

  /// The path for messages.
  package var description: String { anchor.map { path.isEmpty ? $0.path : joined($0.path, path) } ?? path }

  /// `name` in the directory that is here.
  package func at(_ name: String) -> Place { Place(anchor, path.isEmpty && anchor != nil ? name : joined(path, name)) }

  /// The directory that the place lies in.
  package var directory: Place {
    guard anchor != nil else { return Place(Files.directory(of: path)) }
    if path.isEmpty { return Place(anchor, "..") }
    return Place(anchor, path.contains("/") ? Files.directory(of: path) : "")
  }

  /// The place beside it where what is to get its name is made; a crash can leave it behind.
  package var partial: Place { directory.at(partialPrefix + name) }

  /// Its last name.
  package var name: String { lastComponent(of: anchor != nil && path.isEmpty ? anchor!.path : path) }

  /// Calls `body` with the two arguments that name the place to a system call such as `openat`.
  package func call<Result>(_ body: (_ directory: Int32, _ path: String) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(anchor) {
      try body(anchor?.descriptor ?? AT_FDCWD, anchor != nil && path.isEmpty ? "." : path)
    }
  }
}

/// A directory that is held open, and the path under which it was last seen.
package final class OpenDirectory: Sendable {
  package let descriptor: Int32
  /// The path that was given, and the system's for it at that time.
  private let first: (given: String, resolved: String)
  /// Whether the file system counts the names of a directory; some that run in a process of their own do not.
  private let hasCount: Bool
  private let lastPath: Mutex<String>

  package init(_ place: Place) throws {
    descriptor = try checked("cannot open the directory", place) {
      openat($0, $1, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    first = (place.description, OpenDirectory.resolved(descriptor))
    var information = stat()
    hasCount = fstat(descriptor, &information) == 0 && information.st_nlink > 0
    lastPath = Mutex(first.given)
  }

  deinit { close(descriptor) }

  /// The path for messages: as it was given, or after a renaming that `follow` has seen as it is now.
  package var path: String { lastPath.withLock { $0 } }

  /// Whether the directory has been removed: it is open, and no name leads to it.
  package var isRemoved: Bool {
    var information = stat()
    return fstat(descriptor, &information) == -1 ? errno == ESTALE : hasCount && information.st_nlink == 0
  }

  /// The path before and now, where the directory has been renamed, or one above it, since the last call.
  package func follow() -> (from: String, to: String)? {
    let resolved = OpenDirectory.resolved(descriptor)
    let now = resolved == first.resolved ? first.given : resolved
    return lastPath.withLock { path in
      if now == path { return nil }
      defer { path = now }
      return (path, now)
    }
  }

  private static func resolved(_ descriptor: Int32) -> String {
    var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let length = target.withUnsafeMutableBytes {
      readlink("/proc/self/fd/\(descriptor)", $0.baseAddress!, $0.count)
    }
    return escaped(target.prefix(max(0, length)))
  }
}
