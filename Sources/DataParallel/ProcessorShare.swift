import Glibc

/// The processor that one process may use: the cores that it is bound to, and the share of time that its control group
/// allows. Made from the texts of Linux's `/proc` and `/sys`, which `read` gives by path, nil for one that is not
/// there.
public struct ProcessorShare: Equatable, Sendable {
  /// Cores that the process may run on, each named by the lowest of its logical processors, ascending.
  public let cores: [Int]
  /// Processors' worth of time that the control group may use, all its processes together; nil without a limit.
  public let quota: Double?

  /// What can be read is used: without an affinity there are no cores, without a control group no limit.
  public init(read: (_ path: String) -> String?) {
    let processors = ProcessorShare.affinity(read("/proc/self/status") ?? "")
    // Logical processors of one core share its arithmetic units: two ranks there are no faster than one.
    let cores = processors.map { processor in
      let path = "/sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list"
      return read(path).flatMap { ProcessorShare.list($0).first } ?? processor
    }
    self.cores = Set(cores).sorted()
    quota = ProcessorShare.quota(read)
  }

  /// Cores and a quota that are known.
  public init(cores: [Int], quota: Double?) {
    self.cores = cores
    self.quota = quota
  }

  // MARK: Affinity

  /// The logical processors of the line `Cpus_allowed_list:` (proc(5)).
  private static func affinity(_ status: String) -> [Int] {
    let label = "Cpus_allowed_list:"
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(label) }) else { return [] }
    return list(line.dropFirst(label.count))
  }

  /// A list as the kernel writes it: `0-3,8,10-11`. What is not one is empty.
  private static func list(_ text: some StringProtocol) -> [Int] {
    var numbers: [Int] = []
    for part in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
      let words = part.split(separator: "-", omittingEmptySubsequences: false)
      let ends = words.compactMap { Int(String($0)) }
      guard let first = ends.first, let last = ends.last, ends.count == words.count, ends.count <= 2, first <= last,
        last < 1 << 16
      else { return [] }
      numbers += first...last
    }
    return numbers
  }

  // MARK: Control groups

  /// The strictest limit of the process's group and all groups above it, by version 2 or 1 of the interface.
  private static func quota(_ read: (String) -> String?) -> Double? {
    let groups = (read("/proc/self/cgroup") ?? "").split(separator: "\n")
    let mounts = (read("/proc/self/mountinfo") ?? "").split(separator: "\n").compactMap { Mount($0) }
    let limits = groups.flatMap { line -> [Double] in
      // hierarchy:controllers:path; version 2 has no controllers (cgroups(7))
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 3 else { return [] }
      let controllers = fields[1].split(separator: ",")
      if fields[1].isEmpty {
        guard let mount = mounts.last(where: { $0.type == "cgroup2" }) else { return [] }
        return mount.directories(ofGroup: fields[2]).compactMap { limit(read($0 + "/cpu.max") ?? "") }
      }
      guard controllers.contains("cpu"),
        let mount = mounts.last(where: { $0.type == "cgroup" && $0.options.contains("cpu") })
      else { return [] }
      return mount.directories(ofGroup: fields[2]).compactMap { directory in
        guard let quota = read(directory + "/cpu.cfs_quota_us"), let period = read(directory + "/cpu.cfs_period_us")
        else { return nil }
        return limit(quota + " " + period)
      }
    }
    return limits.min()
  }

  /// `200000 100000` is time and period; `max` or −1 is no limit.
  private static func limit(_ text: String) -> Double? {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 2, let time = Double(words[0]), let period = Double(words[1]), time > 0, period > 0 else {
      return nil
    }
    return time / period
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

extension ProcessorShare {
  /// That of this process.
  public static var ofThisProcess: ProcessorShare { ProcessorShare(read: text(ofFile:)) }

  /// A file of the kernel, whose length is not known before it is read.
  static func text(ofFile path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while case let count = fread(&piece, 1, piece.count, file), count > 0, bytes.count < 1 << 20 {
      bytes += piece[..<count]
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
