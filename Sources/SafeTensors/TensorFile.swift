import Crypto
import Files
import Problems

/// A safetensors file open for reading. Opening reads and checks the header; the tensors' bytes are read when asked
/// for. Nothing in the file is trusted: what is wrong with it becomes a `Problem`.
package final class TensorFile: Sendable {
  /// Where the file is.
  package let path: String
  /// The tensors, in byte order of their names.
  package let tensors: [TensorInfo]
  /// The header's `__metadata__`.
  package let metadata: [String: String]
  /// Bytes in the file.
  package var length: Int { file.length }

  private let file: InputFile
  private let dataOffset: Int
  private let places: [String: Int]

  /// Opens a file and checks its header.
  package convenience init(path: String) throws { try self.init(InputFile(Place(path))) }

  package init(_ file: InputFile) throws {
    let path = "\(file.place)"
    guard file.length >= 8 else {
      throw Problem(
        .badData, "safetensors file is too short", expected: "at least 8 bytes", got: "\(file.length)", at: path,
        hint: "the file may be cut short: copy it again")
    }
    let word = try file.bytes(at: 0, count: 8)
    let headerBytes = word.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard headerBytes <= UInt64(file.length - 8) else {
      throw Problem(
        .badData, "safetensors header is longer than the file",
        expected: "at most \(counted(file.length - 8, "byte"))", got: "\(headerBytes)", at: path,
        hint: "the file is cut short, or not a safetensors file")
    }
    guard headerBytes <= UInt64(TensorHeader.maxBytes) else {
      throw Problem(
        .badData, "safetensors header is too long", expected: "at most \(TensorHeader.maxBytes) bytes",
        got: "\(headerBytes)", at: path, hint: "this is not a safetensors file")
    }
    dataOffset = 8 + Int(headerBytes)
    let header = try TensorHeader(
      file.bytes(at: 8, count: Int(headerBytes)), dataBytes: file.length - dataOffset, path: path)
    self.path = path
    self.file = file
    tensors = header.tensors
    metadata = header.metadata
    places = Dictionary(uniqueKeysWithValues: tensors.indices.map { (header.tensors[$0].name, $0) })
  }

  /// Whether the file has a tensor of this name.
  package func contains(_ name: String) -> Bool { places[name] != nil }

  /// What the header says of a tensor; an error where there is none of that name, or its shape is another.
  package func tensor(_ name: String, shape: [Int]? = nil) throws -> TensorInfo {
    guard let place = places[name] else {
      throw Problem(
        .badData, "tensor is missing", expected: quoted(name), got: "none of that name", at: path)
    }
    let tensor = tensors[place]
    if let shape, shape != tensor.shape {
      throw Problem(
        .badData, "tensor has another shape", expected: "\(shape)", got: "\(tensor.shape)",
        at: "\(path), tensor \(quoted(name))")
    }
    return tensor
  }

  /// Hands out a tensor's bytes as stored, in order and in pieces of at most 1 MiB.
  package func forEachPiece(of tensor: TensorInfo, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let range = tensor.byteRange
    try file.forEachPiece(dataOffset + range.lowerBound..<dataOffset + range.upperBound, body)
  }

  // MARK: Values

  /// A tensor's values. The dtype must be that of `Element`, or, where `converting` is true and `Element` is a
  /// floating-point type, the other one of F32 and F64. Give the shape wherever it is known.
  package func values<Element: TensorElement>(
    _ name: String, as type: Element.Type = Element.self, shape: [Int]? = nil, converting: Bool = false
  ) throws -> [Element] {
    let tensor = try tensor(name, shape: shape)
    return try [Element](unsafeUninitializedCapacity: tensor.elementCount) { buffer, initialized in
      try read(
        name, into: UnsafeMutableBufferPointer(rebasing: buffer[..<tensor.elementCount]), converting: converting)
      initialized = tensor.elementCount
    }
  }

  /// A U8 tensor as UTF-8 text; bytes that are not UTF-8 are replaced.
  package func text(_ name: String) throws -> String {
    String(decoding: try values(name, as: UInt8.self), as: UTF8.self)
  }

  /// Reads a tensor's values into memory that holds exactly as many elements; dtypes as in `values`.
  package func read<Element: TensorElement>(
    _ name: String, into buffer: UnsafeMutableBufferPointer<Element>, shape: [Int]? = nil, converting: Bool = false
  ) throws {
    let tensor = try tensor(name, shape: shape)
    let place = "\(path), tensor \(quoted(name))"
    guard tensor.elementCount == buffer.count else {
      throw Problem(
        .badData, "tensor has another size", expected: counted(buffer.count, "element"),
        got: "\(tensor.elementCount)", at: place)
    }
    if tensor.dtype == Element.dtype {
      return try file.read(
        into: UnsafeMutableRawBufferPointer(buffer), at: dataOffset + tensor.byteRange.lowerBound)
    }
    if converting, let doubles = buffer as? UnsafeMutableBufferPointer<Double>, tensor.dtype == .float32 {
      return try convert(tensor, from: Float.self, into: doubles) { Double($0) }
    }
    if converting, let floats = buffer as? UnsafeMutableBufferPointer<Float>, tensor.dtype == .float64 {
      return try convert(tensor, from: Double.self, into: floats) { Float($0) }
    }
    let convertible = converting && (Element.dtype == .float32 || Element.dtype == .float64)
    throw Problem(
      .badData, "tensor has another dtype", expected: convertible ? "F32 or F64" : Element.dtype.rawValue,
      got: tensor.dtype.rawValue, at: place)
  }

  private func convert<Stored: TensorElement, Element>(
    _ tensor: TensorInfo, from: Stored.Type, into buffer: UnsafeMutableBufferPointer<Element>,
    _ convert: (Stored) -> Element
  ) throws {
    var index = 0
    try forEachPiece(of: tensor) { piece in
      for offset in stride(from: 0, to: piece.count, by: MemoryLayout<Stored>.size) {
        buffer[index] = convert(piece.loadUnaligned(fromByteOffset: offset, as: Stored.self))
        index += 1
      }
    }
  }

  // MARK: Hash

  /// Lowercase hexadecimal SHA-256 over the Float32 bytes of all tensors as stored, in byte order of their names: the
  /// fingerprint of a model, the same for every way of writing the header.
  package func parametersSHA256() throws -> String {
    var hash = SHA256()
    for tensor in tensors {
      guard tensor.dtype == .float32 else {
        throw Problem(
          .badData, "model tensor has another dtype", expected: "F32", got: tensor.dtype.rawValue,
          at: "\(path), tensor \(quoted(tensor.name))")
      }
      try forEachPiece(of: tensor) { hash.update(bufferPointer: $0) }
    }
    return hexadecimal(hash.finalize())
  }
}
