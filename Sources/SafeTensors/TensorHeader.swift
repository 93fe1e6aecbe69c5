import Files
import Problems

/// The header of a safetensors file, read as hostile input:
///
///     8 bytes   N, the length of the header, little-endian
///     N bytes   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …, "__metadata__": {"k": "v"}}
///     the rest  the tensors' bytes, little-endian, row-major, without gaps or overlaps
package struct TensorHeader {
  package static let maxBytes = 100_000_000
  package static let maxDimensions = 32

  package private(set) var tensors: [TensorInfo] = []
  package private(set) var metadata: [String: String] = [:]
  private let path: String

  /// Reads the header's text; `dataBytes` is how many bytes follow it in the file.
  package init(_ text: [UInt8], dataBytes: Int, path: String) throws {
    self.path = path
    guard text.first == UInt8(ascii: "{") else {
      throw Problem(
        .badData, "safetensors header does not begin as it should", expected: "{",
        got: text.first.map { "byte 0x" + String($0, radix: 16) } ?? "an empty header", at: path,
        hint: "this is not a safetensors file")
    }
    do {
      var reader = JSONReader(text)
      try reader.object { reader, name in
        if name == "__metadata__" {
          try reader.object { reader, key in metadata[key] = try reader.string("a string as the value of metadata") }
        } else {
          tensors.append(try tensor(name, &reader))
        }
      }
      try reader.end()
    } catch let failure as JSONReader.Failure {
      throw Problem(
        .badData, "safetensors header is malformed at byte \(failure.offset)", expected: failure.expected,
        got: failure.got, at: path)
    }
    try checkCoverage(dataBytes)
    tensors.sort { precedes($0.name, $1.name) }
  }

  /// Reads what the header says of one tensor.
  private func tensor(_ name: String, _ reader: inout JSONReader) throws -> TensorInfo {
    var dtypeName: String?
    var shape: [Int]?
    var offsets: [Int]?
    try reader.object { reader, key in
      switch key {
      case "dtype": dtypeName = try reader.string("a string as dtype")
      case "shape": shape = try sizes(&reader, limit: TensorHeader.maxDimensions, "shape", of: name)
      case "data_offsets": offsets = try sizes(&reader, limit: 2, "data_offsets", of: name)
      default: throw wrong("unknown key", name, "dtype, shape, data_offsets", quoted(key))
      }
    }
    guard let dtypeName else { throw wrong("dtype is missing", name, "a dtype", "none") }
    guard let shape else { throw wrong("shape is missing", name, "a shape", "none") }
    guard let offsets else { throw wrong("data_offsets are missing", name, "data_offsets", "none") }
    guard let dtype = DType(rawValue: dtypeName) else {
      let known = DType.allCases.map(\.rawValue).joined(separator: ", ")
      throw wrong("unknown dtype", name, "one of \(known)", quoted(dtypeName))
    }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw wrong("data_offsets are not a range", name, "[begin, end] with begin ≤ end", "\(offsets)")
    }
    guard let bytes = byteCount(shape, dtype) else {
      throw wrong("shape overflows", name, "fewer than 2^63 bytes", "\(dtypeName) \(shape)")
    }
    guard bytes == offsets[1] - offsets[0] else {
      throw wrong(
        "byte count does not fit the shape", name, "\(counted(bytes, "byte")) for \(dtypeName) \(shape)",
        "\(offsets[1] - offsets[0])")
    }
    return TensorInfo(name: name, dtype: dtype, shape: shape, byteRange: offsets[0]..<offsets[1])
  }

  /// Reads an array of at most `limit` integers ≥ 0.
  private func sizes(_ reader: inout JSONReader, limit: Int, _ what: String, of name: String) throws -> [Int] {
    var sizes: [Int] = []
    try reader.array { reader in
      let size = try reader.integer(Int.self)
      guard size >= 0 else { throw wrong("\(what) holds a negative number", name, "0 or more", "\(size)") }
      guard sizes.count < limit else { throw wrong("\(what) is too long", name, "at most \(limit) numbers", "more") }
      sizes.append(size)
    }
    return sizes
  }

  /// The tensors' ranges, in order, must cover the data from its first byte to its last: neither gap nor overlap.
  private func checkCoverage(_ dataBytes: Int) throws {
    let ordered = tensors.sorted {
      ($0.byteRange.lowerBound, $0.byteRange.upperBound) < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
    }
    var end = 0
    for tensor in ordered {
      let range = tensor.byteRange
      guard range.upperBound <= dataBytes else {
        throw wrong(
          "data lies outside of the file", tensor.name, "an end within the \(counted(dataBytes, "byte")) of data",
          "\(range.upperBound)", hint: "the file may be cut short: copy it again")
      }
      guard range.lowerBound >= end else {
        throw wrong("data overlaps that of another tensor", tensor.name, "begin at \(end)", "\(range.lowerBound)")
      }
      guard range.lowerBound == end else {
        throw wrong("data leaves a gap before it", tensor.name, "begin at \(end)", "\(range.lowerBound)")
      }
      end = range.upperBound
    }
    guard end == dataBytes else {
      throw Problem(
        .badData, "safetensors file has bytes that belong to no tensor", expected: "\(counted(end, "byte")) of data",
        got: "\(dataBytes)", at: path)
    }
  }

  private func wrong(
    _ what: String, _ name: String, _ expected: String, _ got: String, hint: String? = nil
  ) -> Problem {
    Problem(.badData, what, expected: expected, got: got, at: "\(path), tensor \(quoted(name))", hint: hint)
  }
}
