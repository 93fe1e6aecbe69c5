import Files

/// The processor that one process may use: the cores that it is bound to, and the share of time that its control group
/// allows. Made from the texts of Linux's `/proc` and `/sys`, which `read` gives by path, nil for one that is not
/// there.
package struct ProcessorShare: Equatable, Sendable {
  /// Cores that the process may run on, each named by the lowest of its logical processors, ascending.
  package let cores: [Int]
  /// Processors' worth of time that the control group may use, all its processes together; nil without a limit.
  package let quota: Double?

  /// What can be read is used: without an affinity there are no cores, without a control group no limit.
  package init(read: (_ path: String) -> String?) {
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
  package init(cores: [Int], quota: Double?) {
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
    let limits = ControlGroups(read: read).directories(of: "cpu").compactMap { group -> Double? in
      if group.version == 2 { return limit(read(group.path + "/cpu.max") ?? "") }
      guard let quota = read(group.path + "/cpu.cfs_quota_us"), let period = read(group.path + "/cpu.cfs_period_us")
      else { return nil }
      return limit(quota + " " + period)
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
}

extension ProcessorShare {
  /// That of this process.
  package static var ofThisProcess: ProcessorShare { ProcessorShare(read: KernelFile.text) }
}
