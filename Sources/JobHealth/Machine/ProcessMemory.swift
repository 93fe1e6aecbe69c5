import Files

/// Memory of this process as Linux counts it (proc(5)), in bytes; 0 where the kernel does not say.
package enum ProcessMemory {
  /// The most that has been in use. `getrusage` would count in what the process was before it became this program.
  package static var peakBytes: Int { peakBytes(read: KernelFile.text) }

  /// The same from recorded texts.
  package static func peakBytes(read: (_ path: String) -> String?) -> Int {
    bytes(["VmHWM:"], in: read("/proc/self/status"))
  }

  /// What is in use, a page that n processes share as 1/n of it: over all processes this adds up to what they hold
  /// together. Pages of files, as those of the program and its libraries, are left out: processes that are not of this
  /// job share them as well, and the fraction changes when one of those starts or ends.
  package static var proportionalBytes: Int { proportionalBytes(read: KernelFile.text) }

  /// The same from recorded texts.
  package static func proportionalBytes(read: (_ path: String) -> String?) -> Int {
    bytes(["Pss_Anon:", "Pss_Shmem:"], in: read("/proc/self/smaps_rollup"))
  }

  /// The sum of the lines with these labels.
  private static func bytes(_ labels: [Substring], in text: String?) -> Int {
    (text ?? "").split(separator: "\n").reduce(0) { sum, line in
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count == 3, labels.contains(words[0]), words[2] == "kB", let kilobytes = Int(words[1]) else {
        return sum
      }
      return sum + kilobytes * 1024
    }
  }
}
