/// The control groups of this process, by version 1 and 2 of Linux's interface (cgroups(7)). Made from the texts of
/// `/proc` and `/sys`, which `read` gives by path, nil for one that is not there.
package struct ControlGroups {
  /// A directory with the files of one group.
  package struct Directory {
    package let path: String
    /// 1 or 2: which files there are.
    package let version: Int
  }

  private let groups: [[String]]
  private let mounts: [Mount]

  package init(read: (_ path: String) -> String?) {
    // hierarchy:controllers:path; version 2 has no controllers
    groups = (read("/proc/self/cgroup") ?? "").split(separator: "\n").map {
      $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    }
    mounts = (read("/proc/self/mountinfo") ?? "").split(separator: "\n").compactMap { Mount($0) }
  }

  /// Those of the process's group and of all groups above it that a controller, such as `cpu`, may limit.
  package func directories(of controller: String) -> [Directory] {
    groups.flatMap { fields -> [Directory] in
      guard fields.count == 3 else { return [] }
      let (version, mount) =
        if fields[1].isEmpty {
          (2, mounts.last { $0.type == "cgroup2" })
        } else if fields[1].split(separator: ",").contains(Substring(controller)) {
          (1, mounts.last { $0.type == "cgroup" && $0.options.contains(Substring(controller)) })
        } else {
          (1, Mount?.none)
        }
      return mount?.directories(ofGroup: fields[2]).map { Directory(path: $0, version: version) } ?? []
    }
  }

  /// A line of `/proc/self/mountinfo` (proc(5)).
  private struct Mount {
    /// The directory of the file system that is mounted.
    let root: String
    /// Where it is mounted.
    let point: String
    let type: String
    let options: [Substring]

    /// `36 35 98:0 /root /point rw,noatime master:1 - type source options`
    init?(_ line: Substring) {
      let words = line.split(separator: " ")
      guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count > dash + 3 else { return nil }
      root = String(words[3])
      point = String(words[4])
      type = String(words[dash + 1])
      options = words[dash + 3].split(separator: ",")
    }

    /// The directories of a group and of those above it, as far as they can be seen here. A group outside of what is
    /// mounted (that of a container without a name space for groups) is the mounted one itself.
    func directories(ofGroup path: String) -> [String] {
      var rest = path
      if root != "/" { rest = path == root || path.hasPrefix(root + "/") ? String(path.dropFirst(root.count)) : "" }
      let names = rest.split(separator: "/").filter { $0 != ".." }
      return (0...names.count).map { ([point] + names.prefix($0).map(String.init)).joined(separator: "/") }
    }
  }
}
