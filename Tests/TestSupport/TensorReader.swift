import Crypto
import Foundation

/// A safetensors file read in the plainest way, apart from the program's own reader: what the program says of its files
/// is held against this.
package struct TensorReader {
  package struct Tensor {
    package let dtype: String
    package let shape: [Int]
    package let bytes: ArraySlice<UInt8>

    /// The values of an F32, F64 or I64 tensor.
    package var values: [Double] {
      let width = dtype == "F32" ? 4 : 8
      return stride(from: bytes.startIndex, to: bytes.endIndex, by: width).map { start in
        let bits = bytes[start..<start + width].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return switch dtype {
        case "F32": Double(Float(bitPattern: UInt32(bits)))
        case "I64": Double(Int64(bitPattern: bits))
        default: Double(bitPattern: bits)
        }
      }
    }
  }

  private struct Entry: Decodable {
    let dtype: String
    let shape: [Int]
    let data_offsets: [Int]
  }

  package let tensors: [String: Tensor]

  package init(_ bytes: [UInt8]) throws {
    let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length]))
    guard var header = header as? [String: Any] else { throw CocoaError(.fileReadCorruptFile) }
    header["__metadata__"] = nil
    let entries = try JSONDecoder().decode(
      [String: Entry].self, from: JSONSerialization.data(withJSONObject: header))
    tensors = entries.mapValues { entry in
      let (begin, end) = (entry.data_offsets[0], entry.data_offsets[1])
      return Tensor(dtype: entry.dtype, shape: entry.shape, bytes: bytes[8 + length + begin..<8 + length + end])
    }
  }

  /// SHA-256 of the tensors' bytes in byte order of their names.
  package var sha256: String {
    var hash = SHA256()
    for name in tensors.keys.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      hash.update(data: tensors[name]!.bytes)
    }
    return hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}
