import Checkpoints
import Foundation
import Problems
import Testing

/// Runs `body` with the path of a new directory, and removes it.
func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
  let path = NSTemporaryDirectory() + "checkpoints-tests-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// Writes a file. (Foundation's `write` waits for the disk each time, which the fuzz tests cannot afford.)
func put(_ bytes: some Sequence<UInt8>, _ path: String) throws {
  let bytes = Array(bytes)
  let stream = try #require(fopen(path, "w"))
  #expect(fwrite(bytes, 1, bytes.count, stream) == bytes.count)
  #expect(fclose(stream) == 0)
}

func get(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

func text(_ path: String) throws -> String { String(decoding: try get(path), as: UTF8.self) }

func list(_ path: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

func makeDirectory(_ path: String) throws {
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
}

/// The error that `body` throws, or nil.
func failure(_ body: () throws -> Void) -> Problem? {
  do {
    try body()
    return nil
  } catch {
    return error as? Problem
  }
}

/// A safetensors file with this header and `dataBytes` zeros.
func file(header: some Sequence<UInt8>, dataBytes: Int) -> [UInt8] {
  let header = Array(header)
  return (0..<8).map { UInt8(header.count >> (8 * $0) & 255) } + header + [UInt8](repeating: 0, count: dataBytes)
}

/// Steele, Lea and Flood's SplitMix64: a seeded generator.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
