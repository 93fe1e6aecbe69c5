import Problems
import SafeTensors

/// A tensor of a checkpoint that a repetition of its steps gave other bytes.
package struct TensorDifference: Equatable, Sendable {
  /// The file, for example `model.safetensors`.
  package let file: String
  /// The tensor's name.
  package let tensor: String
  /// Elements that differ.
  package let count: Int
  /// Elements of the tensor.
  package let elements: Int
  /// The index of the first that differs.
  package let first: Int
}

extension Checkpoint {
  /// Compares what would be written with what stands here, byte for byte. Returns the tensors that differ, file after
  /// file.
  /// - Throws: where a tensor is missing, or has another shape or dtype.
  package func differences(from files: [CheckpointFile]) throws -> [TensorDifference] {
    try files.flatMap { file in
      let stored = try open(file.name)
      return try file.tensors.compactMap { try difference(of: $0, from: stored, file: file.name) }
    }
  }

  private func difference(of tensor: TensorSource, from stored: TensorFile, file: String) throws -> TensorDifference? {
    let info = try stored.tensor(tensor.name, shape: tensor.shape)
    guard info.dtype == tensor.dtype else {
      throw Problem(
        .badData, "tensor has another dtype", expected: tensor.dtype.rawValue, got: info.dtype.rawValue,
        at: "\(stored.path), tensor \(quoted(tensor.name))")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(info.byteRange.count)
    try tensor.bytes { bytes.append(contentsOf: $0) }
    let size = info.dtype.byteCount
    var (position, count, first) = (0, 0, 0)
    try stored.forEachPiece(of: info) { piece in
      defer { position += piece.count }
      let isSame = bytes.withUnsafeBytes {
        UnsafeRawBufferPointer(rebasing: $0[position..<position + piece.count]).elementsEqual(piece)
      }
      if isSame { return }
      for start in stride(from: 0, to: piece.count, by: size)
      where (start..<start + size).contains(where: { piece[$0] != bytes[position + $0] }) {
        if count == 0 { first = (position + start) / size }
        count += 1
      }
    }
    guard count > 0 else { return nil }
    return TensorDifference(
      file: file, tensor: tensor.name, count: count, elements: info.elementCount, first: first)
  }
}
