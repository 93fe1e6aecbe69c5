import JobHealth
import Testing

@Suite struct ControlGroupsTests {
  private func directories(_ groups: String, _ mounts: String, of controller: String = "memory") -> [String] {
    ControlGroups { ["/proc/self/cgroup": groups, "/proc/self/mountinfo": mounts][$0] }
      .directories(of: controller).map { "\($0.version) \($0.path)" }
  }

  private static let new = "30 25 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n"
  private static let old = "35 31 0:32 / /cg/memory rw,relatime - cgroup cgroup rw,memory\n"

  @Test func everyGroupUpToTheMountIsNamedOutermostFirst() {
    #expect(directories("0::/a/b\n", Self.new) == ["2 /sys/fs/cgroup", "2 /sys/fs/cgroup/a", "2 /sys/fs/cgroup/a/b"])
    #expect(directories("0::/\n", Self.new) == ["2 /sys/fs/cgroup"])
    #expect(directories("4:memory:/a\n", Self.old) == ["1 /cg/memory", "1 /cg/memory/a"])
    #expect(
      directories("4:memory:/a\n0::/b\n", Self.old + Self.new)
        == ["1 /cg/memory", "1 /cg/memory/a", "2 /sys/fs/cgroup", "2 /sys/fs/cgroup/b"])
  }

  @Test func aMountOfPartOfTheTreeBeginsThere() {
    let part = Self.old.replacing("0:32 / ", with: "0:32 /docker/x ")
    #expect(directories("4:memory:/docker/x/y\n", part) == ["1 /cg/memory", "1 /cg/memory/y"])
    #expect(directories("4:memory:/docker/xy\n", part) == ["1 /cg/memory"], "another group of a like name")
    #expect(directories("0::/../other\n", Self.new) == ["2 /sys/fs/cgroup", "2 /sys/fs/cgroup/other"])
  }

  @Test func otherControllersAndBrokenLinesHaveNone() {
    #expect(directories("4:memory:/a\n", Self.old, of: "cpu") == [])
    #expect(
      directories("3:cpu,cpuacct:/a\n", Self.old.replacing("rw,memory", with: "rw,cpu,cpuacct"), of: "cpu").count == 2)
    #expect(directories("", Self.new) == [] && directories("0::/a\n", "") == [])
    #expect(directories("rubbish\n0:\n", "30 25 - cgroup2\nshort\n") == [])
  }
}
