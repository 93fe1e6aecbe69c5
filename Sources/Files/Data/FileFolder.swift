import Problems

/// The files of a folder that fit a pattern.
package enum FileFolder {
  /// What a folder holds; paths are relative to it.
  package struct Listing: Equatable, Sendable {
    /// Files that fit, in the order of their bytes: the order in which a file system lists them must not matter.
    package fileprivate(set) var files: [String] = []
    /// Files that do not fit.
    package fileprivate(set) var others: [String] = []
    /// Folders in which files do not fit, as they lie deeper than the pattern says: they are not looked into.
    package fileprivate(set) var deeper: [String] = []
    /// Folders without anything in them.
    package fileprivate(set) var empty: [String] = []

    /// Whatever is passed over.
    package var passedOver: [String] { others + deeper.map { $0 + "/" } + empty.map { $0 + "/" } }
  }

  /// The files of a folder that fit, and what it holds besides. Names that begin with a dot are not looked at. A folder
  /// that cannot be read is an error with exit code 74, one in which nothing fits has exit code 65.
  package static func listing(of folder: String, _ pattern: NamePattern) throws(Problem) -> Listing {
    var listing = Listing()
    try add(folder, below: "", depth: pattern.depth, pattern, &listing)
    guard !listing.files.isEmpty else {
      throw .data(
        "no file fits the pattern — expected files like \(pattern.text), got "
          + (listing.passedOver.isEmpty ? "none" : listed(listing.passedOver.map(quoted))) + " (\(folder))",
        hint: "data.files says which files are read; * and {class} stand for no / between folders")
    }
    listing.files.sort(by: precedes)
    return listing
  }

  /// The files alone.
  package static func files(in folder: String, matching pattern: NamePattern) throws(Problem) -> [String] {
    try listing(of: folder, pattern).files
  }

  /// Adds what lies in a folder; files that fit lie exactly `depth` folders below.
  private static func add(
    _ folder: String, below prefix: String, depth: Int, _ pattern: NamePattern, _ listing: inout Listing
  ) throws(Problem) {
    let names = try entries(of: folder)
    if names.isEmpty && !prefix.isEmpty { listing.empty.append(String(prefix.dropLast())) }
    for name in names {
      let (path, relative) = ("\(folder)/\(name)", prefix + name)
      // A link that leads nowhere is a file: reading it tells what is wrong.
      let isFolder = (try? entry(Place(path))) == .directory
      if isFolder {
        if depth == 0 {
          listing.deeper.append(relative)
        } else {
          try add(path, below: relative + "/", depth: depth - 1, pattern, &listing)
        }
      } else if depth == 0 && pattern.matches(relative) {
        listing.files.append(relative)
      } else {
        listing.others.append(relative)
      }
    }
  }

  /// The names in a folder, but for those that begin with a dot, in the order of their bytes.
  package static func entries(of folder: String) throws(Problem) -> [String] {
    try Files.names(in: Place(folder), as: "folder", withHidden: false)
  }
}
