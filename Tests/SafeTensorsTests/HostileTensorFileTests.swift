import Foundation
import SafeTensors
import TestSupport
import Testing

/// A header, the bytes that follow it, and what the error must say.
struct Hostile: Sendable, CustomTestStringConvertible {
  let header: [UInt8]
  let dataBytes: Int
  let message: String
  var testDescription: String { message }

  init(_ header: String, _ dataBytes: Int, _ message: String) {
    self.init(bytes: Array(header.utf8), dataBytes, message)
  }
  init(_ header: String, _ message: String) { self.init(header, 0, message) }
  init(bytes: [UInt8], _ dataBytes: Int, _ message: String) {
    self.header = bytes
    self.dataBytes = dataBytes
    self.message = message
  }
}

/// `{"a":{"dtype":…,"shape":…,"data_offsets":…}}`
private func one(_ dtype: String, _ shape: String, _ offsets: String) -> String {
  #"{"a":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}}"#
}

private func two(_ first: String, _ second: String) -> String {
  #"{"a":{"dtype":"U8","shape":[4],"data_offsets":\#(first)},"b":{"dtype":"U8","shape":[4],"data_offsets":\#(second)}}"#
}

@Suite struct HostileTensorFileTests {
  static let headers: [Hostile] = [
    Hostile("", "header does not begin as it should — expected {, got an empty header"),
    Hostile(" {}", "header does not begin as it should — expected {, got byte 0x20"),
    Hostile("{", "malformed at byte 1 — expected a key, got the end of the text"),
    Hostile("{}x", "malformed at byte 2 — expected the end, got \"x\""),
    Hostile(#"{"a" 1}"#, "malformed at byte 5 — expected a colon, got a number"),
    Hostile(#"{"a":[]}"#, "malformed at byte 5 — expected an object, got an array"),
    Hostile(#"{"a":{},}"#, "dtype is missing — expected a dtype, got none"),
    Hostile(#"{"a\x":{}}"#, "malformed at byte 4 — expected an escape sequence, got \"x\""),
    Hostile(#"{"\ud800":{}}"#, "expected a pair of surrogates, got half of one"),
    Hostile("{\"a\nb\":{}}", "expected an escaped control character, got byte 0x0a"),
    Hostile(
      bytes: [0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x7b, 0x7d, 0x7d], 0,
      "expected UTF-8 text, got bytes that are not UTF-8"),
    Hostile(bytes: [0x7b, 0xff], 0, "malformed at byte 1 — expected a key, got byte 0xff"),
    Hostile(#"{"__metadata__":{"format":1}}"#, "expected a string as the value of metadata, got a number"),
    Hostile(#"{"__metadata__":{"format":"pt","format":"tf"}}"#, "expected each key once, got \"format\" twice"),
    Hostile(#"{"__metadata__":[]}"#, "expected an object, got an array"),
    Hostile(
      #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
      "expected each key once, got \"a\" twice"),
    Hostile(
      #"{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
      "expected each key once, got \"dtype\" twice"),
    Hostile(
      #"{"a":{"dtype":"U8","\u0064type":"U8"}}"#, "expected each key once, got \"dtype\" twice"),
    Hostile(
      #"{"a":{"dtype":"U8","strides":[1]}}"#, "unknown key — expected dtype, shape, data_offsets, got \"strides\""),
    Hostile(#"{"a":{"dtype":"U8","data_offsets":[0,0]}}"#, "shape is missing"),
    Hostile(#"{"a":{"dtype":"U8","shape":[0]}}"#, "data_offsets are missing"),
    Hostile(#"{"a":{"dtype":3}}"#, "expected a string as dtype, got a number"),
    Hostile(one("F33", "[1]", "[0,4]"), 4, "unknown dtype — expected one of BOOL, U8, "),
    Hostile(one("F32", "[-1]", "[0,4]"), 4, "shape holds a negative number — expected 0 or more, got -1"),
    Hostile(one("F32", "[1.5]", "[0,4]"), 4, "expected an integer from"),
    Hostile(one("F32", "[01]", "[0,4]"), 4, "expected a comma or ], got a number"),
    Hostile(one("F32", "1", "[0,4]"), 4, "expected an array, got a number"),
    Hostile(one("F32", "[[[[[[1]]]]]]", "[0,4]"), 4, "expected an integer, got an array"),
    Hostile(one("F32", "[9223372036854775808]", "[0,4]"), 4, "got 9223372036854775808"),
    Hostile(one("F32", "[4294967296,4294967296]", "[0,4]"), 4, "shape overflows — expected fewer than 2^63 bytes"),
    Hostile(one("F64", "[1152921504606846976]", "[0,0]"), 0, "shape overflows"),
    Hostile(
      one("U8", "[" + [String](repeating: "1", count: 33).joined(separator: ",") + "]", "[0,1]"), 1,
      "shape is too long — expected at most 32 numbers"),
    Hostile(one("F32", "[2]", "[0,4]"), 4, "byte count does not fit the shape — expected 8 bytes for F32 [2], got 4"),
    Hostile(one("F32", "[1]", "[4,0]"), 4, "data_offsets are not a range"),
    Hostile(one("F32", "[1]", "[0]"), 4, "data_offsets are not a range"),
    Hostile(one("F32", "[1]", "[0,2,4]"), 4, "data_offsets is too long — expected at most 2 numbers"),
    Hostile(one("F32", "[1]", "[-4,0]"), 4, "data_offsets holds a negative number"),
    Hostile(
      one("F32", "[2]", "[0,8]"), 7, "data lies outside of the file — expected an end within the 7 bytes of data, got 8"
    ),
    Hostile(
      one("U8", "[1]", "[9223372036854775806,9223372036854775807]"), 1, "data lies outside of the file"),
    Hostile(two("[0,4]", "[2,6]"), 6, "data overlaps that of another tensor — expected begin at 4, got 2"),
    Hostile(two("[0,4]", "[0,4]"), 4, "data overlaps that of another tensor — expected begin at 4, got 0"),
    Hostile(two("[0,4]", "[5,9]"), 9, "data leaves a gap before it — expected begin at 4, got 5"),
    Hostile(one("U8", "[4]", "[0,4]"), 5, "bytes that belong to no tensor — expected 4 bytes of data, got 5"),
  ]

  @Test(arguments: headers) func malformedHeadersAreOneClearError(_ hostile: Hostile) throws {
    try withDirectory { directory in
      let path = directory + "/a"
      try put(file(header: hostile.header, dataBytes: hostile.dataBytes), path)
      let error = try #require(failure { _ = try TensorFile(path: path) })
      #expect(error.message.contains(hostile.message), "\(error.message)")
      #expect(error.message.contains(path) && !error.message.contains("\n"))
      #expect(error.exitCode == 65)
    }
  }

  @Test(
    arguments: [
      ([], "too short — expected at least 8 bytes, got 0"),
      ([1, 0, 0], "too short — expected at least 8 bytes, got 3"),
      ([3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d], "longer than the file — expected at most 2 bytes, got 3"),
      (
        [255, 255, 255, 255, 255, 255, 255, 255, 0x7b],
        "longer than the file — expected at most 1 byte, got 18446744073709551615"
      ),
    ] as [([UInt8], String)])
  func filesWithoutRoomForTheirHeaderAreRefused(_ bytes: [UInt8], _ message: String) throws {
    try withDirectory { directory in
      try put(bytes, directory + "/a")
      let error = failure { _ = try TensorFile(path: directory + "/a") }
      #expect(error?.message.contains(message) == true, "\(String(describing: error))")
      #expect(error?.exitCode == 65)
    }
  }

  @Test func aHeaderBeyondTheLimitIsRefusedThoughTheFileIsLongEnough() throws {
    try withDirectory { directory in
      let path = directory + "/a"
      // 100,000,001 in little-endian bytes; the rest of the file is a hole.
      try put([0x01, 0xe1, 0xf5, 0x05, 0, 0, 0, 0], path)
      #expect(truncate(path, 200_000_000) == 0)
      let error = failure { _ = try TensorFile(path: path) }
      #expect(
        error?.message == "safetensors header is too long — expected at most 100000000 bytes, got 100000001 (\(path))")
    }
  }

  @Test func missingFilesDirectoriesAndPipesAreInputOutputErrors() throws {
    try withDirectory { directory in
      let missing = failure { _ = try TensorFile(path: directory + "/none") }
      #expect(missing?.exitCode == 74)
      #expect(
        missing?.message
          == "cannot read — expected an existing file or directory, got nothing of that name (\(directory)/none)")
      let folder = failure { _ = try TensorFile(path: directory) }
      #expect(folder?.exitCode == 74)
      #expect(folder?.message == "cannot read — expected a file, got a directory (\(directory))")
      #expect(mkfifo(directory + "/pipe", 0o644) == 0)
      #expect(failure { _ = try TensorFile(path: directory + "/pipe") }?.exitCode == 74)
    }
  }

  @Test func controlCharactersOfTheFileDoNotReachTheTerminal() throws {
    try withDirectory { directory in
      try put(file(header: #"{"\u001b[31m":{"dtype":"\u0007"}}"#.utf8, dataBytes: 0), directory + "/a")
      let error = try #require(failure { _ = try TensorFile(path: directory + "/a") })
      #expect(error.message.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }
  }
}
