import Files
import Glibc
import MPI
import Problems

/// What some work takes on one rank, in bytes.
package struct MemoryNeed: Equatable, Sendable {
  /// What the rank adds to the memory of its node: of what ranks share, its part.
  package var resident: Int
  /// What it adds to its address space: of what ranks share, all.
  package var mapped: Int
  /// What it adds to its own data, which no other rank reads.
  package var data: Int

  /// Work of a rank that shares nothing.
  package init(own bytes: Int) { (resident, mapped, data) = (bytes, bytes, bytes) }

  /// With bytes that each rank takes for itself.
  package static func + (need: MemoryNeed, bytes: Int) -> MemoryNeed {
    MemoryNeed(resident: need.resident + bytes, mapped: need.mapped + bytes, data: need.data + bytes)
  }

  /// Work with these needs.
  package init(resident: Int, mapped: Int, data: Int) {
    (self.resident, self.mapped, self.data) = (resident, mapped, data)
  }
}

/// The memory that a rank may still take: what the machine has, what control groups allow to all ranks of the node
/// together, what `ulimit -v` and `ulimit -d` allow to this process; less what has been taken already. Made from the
/// texts of Linux's `/proc` and `/sys`, which `read` gives by path, nil for one that is not there.
package struct MemoryLimits: Equatable, Sendable {
  /// Bytes that are left of a limit, which may be less than none, and the limit in words.
  package struct Left: Equatable, Sendable {
    /// Bytes.
    package let bytes: Int
    /// Such as "control group of 150 MB".
    package let limit: String
  }

  /// To a rank's part of its node's memory: of the machine, and of each control group with a limit.
  package let resident: [Left]
  /// To the address space of this process; nil without a limit.
  package let mapped: Left?
  /// To the data of this process; nil without a limit.
  package let data: Left?

  /// What else a job takes, found by trying sizes close to a limit: of a node's memory the pages of the program and of
  /// the files that it writes; of addresses and data the stacks of threads, and the heap that each begins.
  private enum Reserve {
    static let nodeBytes = 24 << 20
    static let mappedBytes = 96 << 20
    static let dataBytes = 16 << 20
  }

  /// - Parameters:
  ///   - localRanks: the ranks of the node, which have taken about as much each.
  ///   - addressSpace: the limits of `getrlimit(2)` in bytes, nil for none.
  package init(
    localRanks: Int, physicalBytes: Int, addressSpace: Int?, data: Int?, read: (_ path: String) -> String?
  ) {
    let status = Lines(read("/proc/self/status") ?? "")
    let own = status.kilobytes("RssAnon:") + status.kilobytes("RssShmem:")
    let machine = Left(
      bytes: (physicalBytes - Reserve.nodeBytes) / localRanks - own, limit: "memory of \(physicalBytes >> 20) MB")
    let groups = ControlGroups(read: read).directories(of: "memory").compactMap { group -> Left? in
      let file = group.version == 2 ? "/memory.max" : "/memory.limit_in_bytes"
      // Version 2 writes `max` where there is no limit, version 1 a number beyond all memory.
      guard let limit = read(group.path + file).flatMap({ Int($0.filter { !$0.isWhitespace }) }), limit < physicalBytes
      else { return nil }
      let used = Lines(read(group.path + "/memory.stat") ?? "")
      let taken =
        group.version == 2
        ? used.number("anon") + used.number("shmem") : used.number("total_rss") + used.number("total_shmem")
      return Left(bytes: (limit - taken - Reserve.nodeBytes) / localRanks, limit: "control group of \(limit >> 20) MB")
    }
    resident = [machine] + groups
    mapped = addressSpace.map {
      Left(bytes: $0 - status.kilobytes("VmSize:") - Reserve.mappedBytes, limit: "ulimit -v of \($0 >> 20) MB")
    }
    self.data = data.map {
      Left(bytes: $0 - status.kilobytes("VmData:") - Reserve.dataBytes, limit: "ulimit -d of \($0 >> 20) MB")
    }
  }

  /// The limits of this process, one of `localRanks` on its node.
  package static func ofThisProcess(localRanks: Int) -> MemoryLimits {
    func limit(_ kind: __rlimit_resource) -> Int? {
      var limits = rlimit()
      return getrlimit(__rlimit_resource_t(kind.rawValue), &limits) == 0 ? Int(exactly: limits.rlim_cur) : nil
    }
    return MemoryLimits(
      localRanks: localRanks, physicalBytes: sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)),
      addressSpace: limit(RLIMIT_AS), data: limit(RLIMIT_DATA), read: KernelFile.text)
  }

  /// Refuses work that cannot fit, before any of its memory is allocated: exit code 78.
  /// - Parameter what: the work, in words such as "the model does not fit".
  package func check(_ need: MemoryNeed, for what: String, hint: String) throws {
    let own = [mapped.map { ($0, need.mapped) }, data.map { ($0, need.data) }].compactMap { $0 }
    let all = resident.map { ($0, need.resident) } + own
    guard let (left, needed) = all.filter({ $1 > $0.bytes }).max(by: { $0.1 - $0.0.bytes < $1.1 - $1.0.bytes }) else {
      return
    }
    throw Problem(
      .badConfiguration,
      "\(what) — expected at most \(max(0, left.bytes) >> 20) MB more a rank "
        + "(\(left.limit)), got an estimate of \(needed >> 20) MB", hint: "\(hint)")
  }

  /// A text of lines that begin with a name and a number.
  private struct Lines {
    private let numbers: [Substring: Int]

    init(_ text: String) {
      let lines = text.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace) }
      numbers = Dictionary(
        lines.filter { $0.count >= 2 }.map { ($0[0], Int($0[1]) ?? 0) }, uniquingKeysWith: { first, _ in first })
    }

    func number(_ name: Substring) -> Int { numbers[name] ?? 0 }
    func kilobytes(_ name: Substring) -> Int { number(name) * 1024 }
  }
}
