import Files

/// A data cache of the processor, as Linux describes it.
package struct ProcessorCache: Equatable, Sendable {
  /// 1 is the nearest to the core.
  package let level: Int
  /// Bytes of it.
  package let bytes: Int
  /// Processors that share it.
  package let sharers: Int

  /// A cache of these properties.
  package init(level: Int, bytes: Int, sharers: Int) {
    self.level = level
    self.bytes = bytes
    self.sharers = sharers
  }

  /// A cache from the texts of Linux, such as `2`, `Unified`, `512K` and `0-1,4`; nil for a cache of instructions, or
  /// where a text is not what Linux writes.
  package init?(level: String, kind: String, size: String, sharedBy: String) {
    guard kind != "Instruction", let level = Int(level), let bytes = ProcessorCache.bytes(size),
      let sharers = ProcessorCache.count(sharedBy)
    else { return nil }
    self.init(level: level, bytes: bytes, sharers: sharers)
  }

  /// The data caches of the first processor, the nearest first; none where the system does not say.
  package static func ofThisMachine() -> [ProcessorCache] {
    let folder = "/sys/devices/system/cpu/cpu0/cache/index"
    return (0..<8).compactMap { index in
      guard let level = KernelFile.firstLine("\(folder)\(index)/level"),
        let kind = KernelFile.firstLine("\(folder)\(index)/type"),
        let size = KernelFile.firstLine("\(folder)\(index)/size"),
        let shared = KernelFile.firstLine("\(folder)\(index)/shared_cpu_list")
      else { return nil }
      return ProcessorCache(level: level, kind: kind, size: size, sharedBy: shared)
    }.sorted { $0.level < $1.level }
  }

  /// `512K`, `32M` or `1024` in bytes.
  private static func bytes(_ text: String) -> Int? {
    let unit = text.last == "K" ? 1 << 10 : text.last == "M" ? 1 << 20 : 1
    guard let number = Int(unit == 1 ? text[...] : text.dropLast()), number > 0 else { return nil }
    return number * unit
  }

  /// How many processors `0-1,4` names: 3.
  private static func count(_ list: String) -> Int? {
    var count = 0
    for range in list.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends[0], let last = ends[ends.count - 1], ends.count <= 2, first <= last else { return nil }
      count += last - first + 1
    }
    return count
  }
}
