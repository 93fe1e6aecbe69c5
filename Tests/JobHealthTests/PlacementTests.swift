import JobHealth
import TestSupport
import Testing

/// Cores and limits from recorded texts of the kernel, and what is said about ranks on them.
struct PlacementTests {
  private func share(_ files: [String: String]) -> ProcessorShare { ProcessorShare { files[$0] } }

  private static let status = "Name:\tlstm-dist\nCpus_allowed:\tff0f\nCpus_allowed_list:\t0-3,8-15\nMems_allowed:\t1\n"
  private static let mounts = """
    22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
    30 25 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate

    """
  private static let oldMounts = """
    34 25 0:29 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory
    35 25 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid,nodev,noexec,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct

    """

  // MARK: Affinity

  @Test(arguments: [
    ("0-3,8-15", [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15]), ("5", [5]), ("0,2", [0, 2]), ("", []), ("x", []),
    ("3-1", []), ("0-99999999999", []), ("1-2-3", []), ("-1", []), ("1-", []), ("1-x", []),
  ])
  func theCoresAreThoseOfTheAffinity(list: String, cores: [Int]) {
    #expect(share(["/proc/self/status": "Name:\tx\nCpus_allowed_list:\t\(list)\n"]).cores == cores)
  }

  @Test func whatCannotBeReadIsNoLimit() {
    #expect(share([:]) == ProcessorShare(cores: [], quota: nil))
  }

  /// 0 and 8 are one core, as are 1 and 9, and so on; of 12 to 15 nothing is known.
  @Test func logicalProcessorsOfOneCoreAreOne() {
    var files = ["/proc/self/status": Self.status]
    for core in 0..<4 {
      for processor in [core, core + 8] {
        files["/sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list"] = "\(core),\(core + 8)\n"
      }
    }
    #expect(share(files).cores == [0, 1, 2, 3, 12, 13, 14, 15])
  }

  // MARK: Control groups

  @Test(arguments: [
    ("max 100000\n", "max 100000\n", nil), ("150000 100000\n", "max 100000\n", 1.5),
    ("max 100000\n", "50000 100000\n", 0.5),
    ("400000 100000\n", "200000 100000\n", 2), ("rubbish", "0 0", nil),
  ])
  func theStrictestLimitOfVersion2Counts(job: String, slice: String, quota: Double?) {
    let read = share([
      "/proc/self/cgroup": "0::/system.slice/job-7.scope\n", "/proc/self/mountinfo": Self.mounts,
      "/sys/fs/cgroup/system.slice/job-7.scope/cpu.max": job, "/sys/fs/cgroup/system.slice/cpu.max": slice,
    ])
    #expect(read.quota == quota)
  }

  @Test func aContainerSeesItsOwnGroupAsTheRoot() {
    let files = [
      "/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": Self.mounts, "/sys/fs/cgroup/cpu.max": "250000 100000",
    ]
    #expect(share(files).quota == 2.5)
  }

  private static let oldGroups = """
    9:name=systemd:/
    4:memory:/docker/7f3c
    2:cpu,cpuacct:/docker/7f3c

    """

  @Test(arguments: [("-1", nil), ("300000", 3.0), ("25000", 0.25)])
  func theLimitOfVersion1Counts(quota: String, cores: Double?) {
    let place = "/sys/fs/cgroup/cpu,cpuacct/docker/7f3c"
    let files = [
      "/proc/self/cgroup": Self.oldGroups, "/proc/self/mountinfo": Self.oldMounts,
      place + "/cpu.cfs_quota_us": quota + "\n", place + "/cpu.cfs_period_us": "100000\n",
    ]
    #expect(share(files).quota == cores)
  }

  /// The group is named as the host names it; the container sees what is mounted of it.
  @Test func aContainerOfVersion1SeesItsGroupWhereItIsMounted() {
    let mounted = Self.oldMounts.replacing("0:30 / ", with: "0:30 /docker/7f3c ")
    let files = [
      "/proc/self/cgroup": Self.oldGroups, "/proc/self/mountinfo": mounted,
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "120000\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    ]
    #expect(share(files).quota == 1.2)
    let elsewhere = files.merging(["/proc/self/mountinfo": mounted.replacing("7f3c", with: "other")]) { $1 }
    #expect(share(elsewhere).quota == 1.2)
  }

  @Test func thisProcessCanRunSomewhere() {
    #expect(!ProcessorShare.ofThisProcess.cores.isEmpty)
  }

  // MARK: Warnings

  private func warning(_ ranks: [(node: Int, cores: [Int])], quota: Double? = nil) -> String? {
    Placement.warning(
      ranks.map { Placement.Rank(node: $0.node, share: ProcessorShare(cores: $0.cores, quota: quota)) })
  }

  @Test func aCoreForEachRankNeedsNoWarning() {
    #expect(warning([(0, [0, 1]), (0, [0, 1])]) == nil)
    #expect(warning([(0, [0]), (0, [1]), (1, [0]), (1, [1])]) == nil)
    #expect(warning([(0, [0]), (0, [0, 1])]) == nil)
    #expect(warning([(0, [0, 1]), (0, [0, 1])], quota: 2) == nil)
    #expect(warning([(0, [])]) == nil && warning([(0, []), (0, [])]) == nil && warning([]) == nil)
    // One rank has less than a core, and nowhere else to go.
    #expect(warning([(0, [0])], quota: 0.5) == nil)
  }

  @Test func ranksBoundToOneCoreAreNamed() throws {
    let text = try #require(warning([(0, [0]), (0, [3]), (0, [3]), (1, [3])]))
    #expect(
      text.hasPrefix("warning: ranks share a core — expected one for each, got core 3 for the ranks 1, 2\nhint: "))
  }

  @Test func moreRanksThanCoresAreCounted() throws {
    let four = try #require(warning((0..<4).map { _ in (0, [0, 1]) }))
    #expect(
      four.hasPrefix("warning: more ranks than cores — expected at most 2 on this node, got 4 on 2 (ranks 0, 1, 2, 3)"))
    let limited = try #require(warning((0..<3).map { _ in (0, [0, 1, 2, 3]) }, quota: 1.5))
    #expect(limited.contains("at most 1 on this node, got 3 on 1.5 (ranks"))
    // Three ranks on the same two cores of four.
    let part = try #require(warning([(0, [0, 1]), (0, [0, 1]), (0, [0, 1]), (0, [2, 3])]))
    #expect(part.contains("at most 2 on this node, got 3 on 2 (ranks 0, 1, 2)"))
  }

  @Test func ofSeveralNodesTheWorstIsNamed() throws {
    let text = try #require(warning([(0, [0]), (0, [0]), (7, [1]), (7, [1]), (7, [1])]))
    #expect(text.contains("core 1 for the ranks 2, 3, 4"))
    let many = try #require(warning((0..<20).map { _ in (0, [0]) }))
    #expect(many.contains("for the ranks 0, … 19"))
  }
}
