internal import CBuild

/// Which program this is. Checkpoints and metrics record it, `lstm-dist --version` prints it.
package enum Version {
  /// Semantic version (semver.org): the major number changes where a run, a command line or a file of an older program
  /// is no longer understood.
  package static let number = "1.0.0"

  /// The commit, `+` behind it where files had been changed; nil for a build without Git.
  package static let commit: String? = {
    let commit = String(cString: build_commit())
    return commit.isEmpty ? nil : commit
  }()

  /// The compilers that built it.
  package static let compiler: String = {
    // Swift does not tell its own version to the program; Clang, of the same toolchain, does.
    #if compiler(>=6.3)
      let swift = "Swift 6.3 or newer"
    #else
      let swift = "Swift 6.2"
    #endif
    return "\(swift), \(String(cString: build_compiler()).prefix { $0 != "(" })".trimmingSpace
  }()

  /// Number and commit, as records have it: `1.0.0 (3fba9ad)`.
  package static let text = commit.map { "\(number) (\($0))" } ?? number
}

extension String {
  fileprivate var trimmingSpace: String { hasSuffix(" ") ? String(dropLast()) : self }
}
