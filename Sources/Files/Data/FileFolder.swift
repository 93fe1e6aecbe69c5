import Problems

/// The files of a folder that fit a pattern.
package enum FileFolder {
  /// Paths relative to `folder`, in the order of their bytes: the order in which a file system lists them must not
  /// matter. Names that begin with a dot are passed over. A folder that cannot be read is an error with exit code 74,
  /// one in which nothing fits has exit code 65.
  package static func files(in folder: String, matching pattern: NamePattern) throws(Problem) -> [String] {
    let all = try names(in: folder, below: "", depth: pattern.depth)
    let matching = all.filter { pattern.matches($0) }
    guard !matching.isEmpty else {
      throw .data(
        "no file fits the pattern — expected files like \(pattern.text), got "
          + (all.isEmpty ? "none" : listed(all.map(quoted))) + " (\(folder))")
    }
    return matching
  }

  /// The files exactly `depth` folders below, in the order of their bytes.
  private static func names(in folder: String, below prefix: String, depth: Int) throws(Problem) -> [String] {
    var found: [String] = []
    for name in try entries(of: folder) {
      let path = "\(folder)/\(name)"
      // A link that leads nowhere is a file: reading it tells what is wrong.
      let isFolder = (try? entry(Place(path))) == .directory
      if depth > 0 && isFolder {
        found += try names(in: path, below: "\(prefix)\(name)/", depth: depth - 1)
      } else if depth == 0 && !isFolder {
        found.append(prefix + name)
      }
    }
    return found.sorted(by: precedes)
  }

  /// The names in a folder, but for those that begin with a dot, in the order of their bytes.
  package static func entries(of folder: String) throws(Problem) -> [String] {
    try Files.names(in: Place(folder), as: "folder", withHidden: false)
  }
}
