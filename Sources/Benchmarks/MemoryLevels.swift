import Glibc
import MPI

/// A level of memory behind the first cache, as one rank has it while all ranks read at once.
package struct MemoryLevel: Equatable, Sendable {
  /// `L2`, `L3` or `memory`.
  package let name: String
  /// Bytes of it that are a rank's share; without a limit for main memory.
  package let capacityBytes: Double
  /// Bytes a second that a rank reads from it.
  package let bytesPerSecond: Double

  /// A level of these properties.
  package init(name: String, capacityBytes: Double, bytesPerSecond: Double) {
    self.name = name
    self.capacityBytes = capacityBytes
    self.bytesPerSecond = bytesPerSecond
  }
}

/// The levels of memory of this machine, measured on all ranks at once.
package struct MemoryLevels: Sendable {
  /// Bytes of the first cache, which is not measured.
  package let firstCacheBytes: Double
  /// Second-level cache, third-level cache where it has one, main memory: the nearest first. The bandwidth of each is
  /// the mean over the ranks.
  package let levels: [MemoryLevel]

  /// Levels that are known already, the nearest first, main memory last.
  package init(firstCacheBytes: Double, levels: [MemoryLevel]) {
    self.firstCacheBytes = firstCacheBytes
    self.levels = levels
  }

  /// Measures, on all ranks together: a cache with a buffer of half a rank's share, main memory with one of twice the
  /// last cache, and at least 64 MB.
  package static func measure(world: World) throws -> MemoryLevels {
    let communicator = world.communicator
    let caches = shares(
      ProcessorCache.ofThisMachine(), localRanks: world.node.size, processors: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let last = caches.last?.bytes ?? 0
    func rate(bytes: Int) throws -> Double {
      try communicator.barrier()
      return try communicator.allReduce(measuredReadRate(bytes: bytes), .sum) / Double(communicator.size)
    }
    var levels = try caches.filter { $0.level > 1 }.map { cache in
      MemoryLevel(
        name: "L\(cache.level)", capacityBytes: Double(cache.bytes), bytesPerSecond: try rate(bytes: cache.bytes / 2))
    }
    levels.append(
      MemoryLevel(
        name: "memory", capacityBytes: .infinity,
        bytesPerSecond: try rate(bytes: max(64 << 20, 2 * last * max(1, caches.last?.sharers ?? 1)))))
    return MemoryLevels(firstCacheBytes: Double(caches.first { $0.level == 1 }?.bytes ?? 0), levels: levels)
  }

  /// What a rank has of each cache where `localRanks` ranks are spread evenly over the processors of a node; `sharers`
  /// are then ranks. A cache whose share is not larger than that of the next lower level is left out.
  package static func shares(_ caches: [ProcessorCache], localRanks: Int, processors: Int) -> [ProcessorCache] {
    var shares: [ProcessorCache] = []
    for cache in caches {
      let ranks = max(1, (localRanks * cache.sharers + processors - 1) / max(1, processors))
      let share = ProcessorCache(level: cache.level, bytes: cache.bytes / ranks, sharers: ranks)
      if share.bytes > shares.last?.bytes ?? 0 { shares.append(share) }
    }
    return shares
  }
}
