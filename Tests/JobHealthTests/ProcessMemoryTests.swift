import JobHealth
import Testing

/// Recorded texts of the kernel, which counts in 1,024 bytes and calls them kB.
@Suite struct ProcessMemoryTests {
  private func read(_ path: String) -> String? {
    [
      "/proc/self/status": "Name:\tx\nVmPeak:\t  9999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n",
      "/proc/self/smaps_rollup":
        "7f00-7fff ---p 00000000 00:00 0 [rollup]\nRss: 900 kB\nPss: 800 kB\nPss_Anon:  512 kB\nPss_Shmem: 256 kB\n"
        + "Pss_File: 32 kB\n",
    ][path]
  }

  @Test func memoryIsCountedInBytes() {
    #expect(ProcessMemory.peakBytes(read: read) == 2 << 20)
    #expect(ProcessMemory.proportionalBytes(read: read) == 768 << 10, "anonymous and shared, no files")
  }

  @Test(arguments: ["", "VmHWM:", "VmHWM: 5 MB\n", "VmHWM: x kB\n", "VmHWM: 5 kB more\n"])
  func whatCannotBeReadIsNone(text: String) {
    #expect(ProcessMemory.peakBytes { _ in text } == 0)
    #expect(ProcessMemory.peakBytes { _ in nil } == 0)
  }

  @Test func thisProcessHasMemory() {
    #expect(ProcessMemory.peakBytes >= ProcessMemory.proportionalBytes && ProcessMemory.proportionalBytes > 0)
  }
}
