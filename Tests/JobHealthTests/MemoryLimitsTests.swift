import JobHealth
import MPI
import Problems
import TestSupport
import Testing

/// What is left of each limit, from recorded texts of the kernel, and what is refused.
struct MemoryLimitsTests {
  /// This process has taken 20 MB, of which 4 are shared, 300 MB of addresses and 50 MB of data.
  private static let status = """
    Name:\tlstm-dist
    VmSize:\t  307200 kB
    RssAnon:\t   16384 kB
    RssFile:\t   99999 kB
    RssShmem:\t    4096 kB
    VmData:\t   51200 kB

    """

  private func limits(
    localRanks: Int = 2, addressSpace: Int? = nil, data: Int? = nil, _ files: [String: String] = [:]
  ) -> MemoryLimits {
    MemoryLimits(
      localRanks: localRanks, physicalBytes: 1000 << 20, addressSpace: addressSpace, data: data
    ) { $0 == "/proc/self/status" ? Self.status : files[$0] }
  }

  /// Megabytes that are left, and of what.
  private func text(_ left: MemoryLimits.Left?) -> String? { left.map { "\($0.bytes >> 20) of \($0.limit)" } }

  /// A node keeps 24 MB for what no rank counts.
  @Test func ranksShareTheMachineAndHaveTakenSomeOfIt() {
    #expect(limits().resident.map(text) == ["468 of memory of 1000 MB"])
    #expect(limits(localRanks: 4).resident.map(text) == ["224 of memory of 1000 MB"])
    #expect(limits().mapped == nil && limits().data == nil)
  }

  /// A process keeps 96 MB of addresses and 16 MB of data.
  @Test func limitsOfTheProcessAreItsOwn() {
    let both = limits(localRanks: 4, addressSpace: 400 << 20, data: 70 << 20)
    #expect(text(both.mapped) == "4 of ulimit -v of 400 MB")
    #expect(text(both.data) == "4 of ulimit -d of 70 MB")
  }

  /// Of the job's group 30 MB are taken, and the group above has more of its own.
  @Test func everyGroupOfVersion2Counts() {
    let read = limits([
      "/proc/self/cgroup": "0::/slice/job\n",
      "/proc/self/mountinfo": "30 25 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
      "/sys/fs/cgroup/slice/job/memory.max": "157286400\n",
      "/sys/fs/cgroup/slice/job/memory.stat": "anon 20971520\nfile 90000000\nshmem 10485760\n",
      "/sys/fs/cgroup/slice/memory.max": "314572800\n",
      "/sys/fs/cgroup/slice/memory.stat": "anon 251658240\nshmem 10485760\n",
      "/sys/fs/cgroup/memory.max": "max\n",
    ])
    #expect(
      read.resident.dropFirst().map(text) == ["13 of control group of 300 MB", "48 of control group of 150 MB"])
  }

  @Test(arguments: [
    ("157286400\n", [48]), ("9223372036854771712\n", []), ("9223372036854775808\n", []), ("x", []),
  ])
  func aGroupOfVersion1CountsWhereItHasALimit(limit: String, left: [Int]) {
    let read = limits([
      "/proc/self/cgroup": "4:memory:/job\n3:cpu,cpuacct:/job\n0::/\n",
      "/proc/self/mountinfo": "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n",
      "/sys/fs/cgroup/memory/job/memory.limit_in_bytes": limit,
      "/sys/fs/cgroup/memory/job/memory.stat": "cache 1\nrss 2\ntotal_rss 20971520\ntotal_shmem 10485760\n",
    ])
    #expect(read.resident.dropFirst().map { $0.bytes >> 20 } == left)
  }

  @Test func whatExceedsALimitIsRefusedWithTheSizes() throws {
    let limits = limits(addressSpace: 496 << 20)
    let fits = MemoryNeed(resident: 468 << 20, mapped: 100 << 20, data: 1 << 40)
    try limits.check(fits, for: "it does not fit", hint: "none")
    var (large, wide) = (fits, fits)
    large.resident += 1 << 21
    wide.mapped += 1 << 21
    for (need, sizes) in [
      (large, "468 MB more a rank (memory of 1000 MB), got an estimate of 470 MB"),
      (wide, "100 MB more a rank (ulimit -v of 496 MB), got an estimate of 102 MB"),
    ] {
      let failure = Problem(.badConfiguration, "it does not fit — expected at most \(sizes)", hint: "none")
      #expect(throws: failure) { try limits.check(need, for: "it does not fit", hint: "none") }
    }
  }
}
