/// Memory of this process as Linux counts it (proc(5)), in bytes; 0 where the kernel does not say.
public enum ProcessMemory {
  /// The most that has been in use. `getrusage` would count in what the process was before it became this program.
  public static var peakBytes: Int { bytes("VmHWM:", of: "/proc/self/status") }

  /// What is in use, a page that n processes share as 1/n of it: over all processes this adds up to what they hold
  /// together.
  public static var proportionalBytes: Int { bytes("Pss:", of: "/proc/self/smaps_rollup") }

  private static func bytes(_ label: String, of path: String) -> Int {
    let line = ProcessorShare.text(ofFile: path)?.split(separator: "\n").first { $0.hasPrefix(label) }
    let words = line?.split(whereSeparator: \.isWhitespace) ?? []
    guard words.count == 3, words[2] == "kB", let kilobytes = Int(words[1]) else { return 0 }
    return kilobytes * 1024
  }
}
