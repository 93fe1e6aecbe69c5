import Configuration
@preconcurrency import Glibc
import Problems

extension Configuration {
  /// The same with paths of the data that hold in any directory, as runs store them: one for each place, however it was
  /// spelled, but for links.
  func withAbsolutePaths() throws -> Configuration { try mappingPlaces(absolutePath) }
}

/// The path from the root, without `.` and `..`.
private func absolutePath(_ path: String) throws -> String {
  let whole = path.hasPrefix("/") ? path : try workingDirectory() + "/" + path
  let names = whole.split(separator: "/").filter { $0 != "." }
  func joined(_ names: some Sequence<Substring>) -> String { "/" + names.joined(separator: "/") }
  guard let up = names.lastIndex(of: "..") else { return joined(names) }
  // What stands before .. can be a link, whose parent only the file system knows. What is not there stays as it is.
  guard let place = realpath(joined(names[...up]), nil) else { return joined(names) }
  defer { free(place) }
  guard let parent = String(validatingCString: place) else { return joined(names) }
  return joined(parent.split(separator: "/") + names[(up + 1)...])
}

private func workingDirectory() throws -> String {
  guard let place = getcwd(nil, 0) else {
    throw Problem(
      .inputOutput,
      "no working directory — expected one, since paths of the data are relative, got "
        + "\"\(String(cString: strerror(errno)).lowercased())\"")
  }
  defer { free(place) }
  guard let directory = String(validatingCString: place) else {
    throw Problem(
      .badConfiguration,
      "the working directory's name is not UTF-8 — expected UTF-8, since a run stores where its data lie, got other "
        + "bytes", hint: "give absolute paths of the data")
  }
  return directory
}
