import Files
import Problems

/// One tensor to be written. Its bytes are asked for when their turn comes, so that a writer may make them tensor by
/// tensor in one small buffer.
package struct TensorSource {
  /// For example `weight_ih_l0`.
  package let name: String
  /// The type of an element.
  package let dtype: DType
  /// Sizes, slowest first; empty for a scalar.
  package let shape: [Int]
  /// Calls its argument with the tensor's bytes, in order, in as many pieces of whole elements as it likes.
  package let bytes: (_ write: (UnsafeRawBufferPointer) throws -> Void) throws -> Void

  /// A tensor whose little-endian bytes `bytes` hands to its argument: in order, in one piece of whole elements or
  /// more.
  package init(
    name: String, dtype: DType, shape: [Int],
    bytes: @escaping (_ write: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }

  /// A tensor that lies in memory as it is to be written, and stays there; in pieces of 512 KiB.
  package init(name: String, floats: UnsafeBufferPointer<Float>, shape: [Int]) {
    self.init(name: name, dtype: .float32, shape: shape) { write in
      for first in stride(from: 0, to: floats.count, by: 1 << 17) {
        let piece = UnsafeBufferPointer(rebasing: floats[first..<min(first + (1 << 17), floats.count)])
        try write(UnsafeRawBufferPointer(piece))
      }
    }
  }

  /// A text as U8 [bytes of its UTF-8].
  package init(name: String, text: String) {
    self.init(name: name, shape: [text.utf8.count], values: Array(text.utf8))
  }

  /// A tensor whose values are an array.
  package init<Element: TensorElement>(name: String, shape: [Int], values: [Element]) {
    self.init(name: name, dtype: Element.dtype, shape: shape) { write in try values.withUnsafeBytes { try write($0) } }
  }
}

/// Writes a safetensors file. The bytes are a function of the tensors alone: those of the largest elements first, of one
/// size in byte order of their names; the header padded with spaces so that the data begins at a multiple of 8. So every
/// tensor begins at a multiple of its element's size, for readers that map the file. `"format":"pt"` in the metadata, as
/// PyTorch's own writer has it.
package enum TensorFileWriter {
  /// Replaces or creates the file at once: what fails leaves the old file as it was.
  @discardableResult
  package static func write(
    _ tensors: [TensorSource], metadata: [String: String] = [:], to path: String
  ) throws -> FileDigest {
    try replaceFile(Place(path)) { try create(tensors, metadata: metadata, at: $0, refuseNonFinite: false) }
  }

  /// Creates a file that does not exist yet and waits until it is on the disk.
  package static func create(
    _ tensors: [TensorSource], metadata: [String: String], at file: Place, refuseNonFinite: Bool, pace: Pace? = nil
  ) throws -> FileDigest {
    let tensors = tensors.sorted {
      let (size, other) = ($0.dtype.byteCount, $1.dtype.byteCount)
      return size == other ? precedes($0.name, $1.name) : size > other
    }
    let path = "\(file)"
    let header = try header(tensors, metadata: metadata, path: path)
    var file = try OutputFile(creating: file)
    try withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { try file.write($0) }
    try file.write(header)
    for tensor in tensors {
      let place = "\(path), tensor \(quoted(tensor.name))"
      var written = 0
      try tensor.bytes { piece in
        precondition(piece.count % tensor.dtype.byteCount == 0, "\(place): a piece ends within an element")
        if refuseNonFinite, !isFinite(piece, tensor.dtype) {
          throw Problem(
            .diverged, "value cannot be saved", expected: "finite numbers", got: "infinity or NaN", at: place,
            hint: "lower optimizer.learningRate or optimizer.clip")
        }
        try file.write(piece)
        written += piece.count
        pace?.finishedPiece()
      }
      let needed = byteCount(tensor.shape, tensor.dtype)
      precondition(written == needed, "\(place): \(written) bytes do not fit the shape \(tensor.shape)")
    }
    return try file.finish()
  }

  private static func header(_ tensors: [TensorSource], metadata: [String: String], path: String) throws -> String {
    var metadata = metadata
    metadata["format"] = "pt"
    let pairs = metadata.sorted { precedes($0.key, $1.key) }.map { (key: $0.key, value: JSON.string($0.value)) }
    var members: [(key: String, value: JSON)] = [("__metadata__", .object(JSONRecord(pairs)))]
    var names: Set = ["__metadata__"]
    var end = 0
    for tensor in tensors {
      precondition(names.insert(tensor.name).inserted, "tensor \(tensor.name) twice")
      guard let count = byteCount(tensor.shape, tensor.dtype) else {
        preconditionFailure("\(path): the shape \(tensor.shape) of \(tensor.name) overflows")
      }
      let info: JSONRecord = [
        "dtype": .string(tensor.dtype.rawValue), "shape": .array(tensor.shape.map { .integer($0) }),
        "data_offsets": [.integer(end), .integer(end + count)],
      ]
      members.append((tensor.name, .object(info)))
      end += count
    }
    let text = JSONRecord(members).text
    return text + String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
  }

  /// Whether no value is infinite or NaN, which is: no exponent has all its bits set.
  private static func isFinite(_ bytes: UnsafeRawBufferPointer, _ dtype: DType) -> Bool {
    switch dtype {
    case .float32: isFinite(bytes, exponent: UInt32(0x7F80_0000))
    case .float64: isFinite(bytes, exponent: UInt64(0x7FF0_0000_0000_0000))
    default: true
    }
  }

  /// Looks at all of them, so that the loop can be vectorized.
  private static func isFinite<Bits: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: UnsafeRawBufferPointer, exponent: Bits
  ) -> Bool {
    var found: Bits = 0
    for offset in stride(from: 0, to: bytes.count, by: MemoryLayout<Bits>.size) {
      let bits = bytes.loadUnaligned(fromByteOffset: offset, as: Bits.self)
      found |= bits & exponent == exponent ? 1 : 0
    }
    return found == 0
  }
}
