import Files
import Foundation
import Problems

/// Runs `body` with the path of a new directory, and removes it.
package func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
  let path = NSTemporaryDirectory() + "lstm-dist-tests-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// Writes a file. (Foundation's `write` waits for the disk each time, which the fuzz tests cannot afford.)
package func put(_ bytes: some Sequence<UInt8>, _ path: String) throws {
  let bytes = Array(bytes)
  guard let stream = fopen(path, "w") else { throw CocoaError(.fileNoSuchFile) }
  let written = fwrite(bytes, 1, bytes.count, stream)
  guard fclose(stream) == 0, written == bytes.count else { throw CocoaError(.fileWriteUnknown) }
}

package func get(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

package func text(_ path: String) throws -> String { String(decoding: try get(path), as: UTF8.self) }

package func list(_ path: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: path).sorted()
}

package func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

package func makeDirectory(_ path: String) throws {
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
}

/// The error that `body` throws, or nil.
package func failure(_ body: () throws -> Void) -> Problem? {
  do {
    try body()
    return nil
  } catch {
    return error as? Problem
  }
}

/// A safetensors file with this header and `dataBytes` zeros.
package func file(header: some Sequence<UInt8>, dataBytes: Int) -> [UInt8] {
  let header = Array(header)
  return (0..<8).map { UInt8(header.count >> (8 * $0) & 255) } + header + [UInt8](repeating: 0, count: dataBytes)
}

/// Steele, Lea and Flood's SplitMix64: a seeded generator.
package struct SplitMix: RandomNumberGenerator {
  package var state: UInt64

  package init(state: UInt64) { self.state = state }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
