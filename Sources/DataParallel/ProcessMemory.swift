/// Memory of this process as Linux counts it (proc(5)), in bytes; 0 where the kernel does not say.
public enum ProcessMemory {
  /// The most that has been in use. `getrusage` would count in what the process was before it became this program.
  public static var peakBytes: Int { bytes("VmHWM:", of: "/proc/self/status") }

  /// What is in use, a page that n processes share as 1/n of it: over all processes this adds up to what they hold
  /// together. Pages of files, as those of the program and its libraries, are left out: processes that are not of this
  /// job share them as well, and the fraction changes when one of those starts or ends.
  public static var proportionalBytes: Int {
    ["Pss_Anon:", "Pss_Shmem:"].reduce(0) { $0 + bytes($1, of: "/proc/self/smaps_rollup") }
  }

  private static func bytes(_ label: String, of path: String) -> Int {
    let line = ProcessorShare.text(ofFile: path)?.split(separator: "\n").first { $0.hasPrefix(label) }
    let words = line?.split(whereSeparator: \.isWhitespace) ?? []
    guard words.count == 3, words[2] == "kB", let kilobytes = Int(words[1]) else { return 0 }
    return kilobytes * 1024
  }
}
