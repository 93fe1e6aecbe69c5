import Glibc
import Problems

/// The files of a folder that fit a pattern.
package enum FileFolder {
  /// Paths relative to `folder`, in the order of their bytes: the order in which a file system lists them must not
  /// matter. Names that begin with a dot are passed over. A folder that cannot be read is an error with exit code 74,
  /// one in which nothing fits has exit code 65.
  package static func files(in folder: String, matching pattern: NamePattern) throws(Problem) -> [String] {
    let all = try names(in: folder, below: "", depth: pattern.depth)
    let matching = all.filter { pattern.matches($0.text) }
    guard !matching.isEmpty else {
      throw .data(
        "no file fits the pattern — expected files like \(pattern.text), got "
          + (all.isEmpty ? "none" : listed(all.map { quoted($0.text) })) + " (\(folder))")
    }
    return matching.map(\.text)
  }

  /// The files exactly `depth` folders below, in the order of their bytes.
  private static func names(in folder: String, below prefix: String, depth: Int) throws(Problem) -> [ExactString] {
    var found: [ExactString] = []
    for entry in try entries(of: folder).sorted() {
      let path = "\(folder)/\(entry.text)"
      let isFolder = isFolder(path)
      if depth > 0 && isFolder {
        found += try names(in: path, below: "\(prefix)\(entry.text)/", depth: depth - 1)
      } else if depth == 0 && !isFolder {
        found.append(ExactString(prefix + entry.text))
      }
    }
    return found.sorted()
  }

  /// The names in a folder, but for those that begin with a dot.
  package static func entries(of folder: String) throws(Problem) -> [ExactString] {
    guard let stream = opendir(folder) else {
      let reason = String(cString: strerror(errno)).lowercased()
      throw .file("folder cannot be read — expected a folder, got \"\(reason)\" (\(folder))")
    }
    defer { closedir(stream) }
    var names: [ExactString] = []
    while let entry = readdir(stream) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if bytes.first == UInt8(ascii: ".") { continue }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        throw .data(
          "file name is not UTF-8 — expected UTF-8, got \"\(escaped(bytes))\" (\(folder))", hint: "rename the file")
      }
      names.append(ExactString(name))
    }
    return names
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
