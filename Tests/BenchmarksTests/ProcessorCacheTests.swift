import Benchmarks
import Testing

/// What Linux says of the caches, as numbers.
struct ProcessorCacheTests {
  private func cache(_ level: String, _ kind: String, _ size: String, _ shared: String) -> ProcessorCache? {
    ProcessorCache(level: level, kind: kind, size: size, sharedBy: shared)
  }

  @Test func textsOfLinuxAreRead() {
    #expect(cache("2", "Unified", "512K", "0") == ProcessorCache(level: 2, bytes: 512 << 10, sharers: 1))
    #expect(cache("3", "Unified", "32M", "0-1,4") == ProcessorCache(level: 3, bytes: 32 << 20, sharers: 3))
    #expect(cache("1", "Data", "100", "0-3,8-11") == ProcessorCache(level: 1, bytes: 100, sharers: 8))
  }

  @Test func cachesOfInstructionsAndOtherTextsAreNone() {
    #expect(cache("1", "Instruction", "32K", "0") == nil)
    for size in ["", "K", "0K", "-1K", "3G"] { #expect(cache("2", "Unified", size, "0") == nil, "\(size)") }
    for list in ["", "a", "2-1", "0-", "0,,1", "0-1-2"] { #expect(cache("2", "Unified", "1K", list) == nil, "\(list)") }
    #expect(cache("", "Unified", "1K", "0") == nil)
  }
}
