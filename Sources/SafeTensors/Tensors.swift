/// The element types that a safetensors file can hold, named as the format names them.
package enum DType: String, CaseIterable, Sendable {
  /// One byte, 0 or 1.
  case bool = "BOOL"
  /// Unsigned integer of one byte.
  case uint8 = "U8"
  /// Signed integer of one byte.
  case int8 = "I8"
  /// Signed integer of two bytes.
  case int16 = "I16"
  /// Unsigned integer of two bytes.
  case uint16 = "U16"
  /// IEEE half precision.
  case float16 = "F16"
  /// The upper half of a Float32.
  case bfloat16 = "BF16"
  /// Signed integer of four bytes.
  case int32 = "I32"
  /// Unsigned integer of four bytes.
  case uint32 = "U32"
  /// `Float`.
  case float32 = "F32"
  /// Signed integer of eight bytes.
  case int64 = "I64"
  /// Unsigned integer of eight bytes.
  case uint64 = "U64"
  /// `Double`.
  case float64 = "F64"

  /// Bytes of one element.
  package var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }
}

/// A Swift type whose memory is that of a `DType`, on a little-endian machine.
package protocol TensorElement: BitwiseCopyable, Sendable {
  /// The type's name in the file.
  static var dtype: DType { get }
}

extension Float: TensorElement {
  /// F32.
  package static var dtype: DType { .float32 }
}
extension Double: TensorElement {
  /// F64.
  package static var dtype: DType { .float64 }
}
extension Int32: TensorElement {
  /// I32.
  package static var dtype: DType { .int32 }
}
extension Int64: TensorElement {
  /// I64.
  package static var dtype: DType { .int64 }
}
extension UInt64: TensorElement {
  /// U64.
  package static var dtype: DType { .uint64 }
}
extension UInt8: TensorElement {
  /// U8.
  package static var dtype: DType { .uint8 }
}

/// What a safetensors header says of one tensor.
package struct TensorInfo: Equatable, Sendable {
  /// For example `weight_ih_l0`.
  package let name: String
  /// The type of an element.
  package let dtype: DType
  /// Sizes, slowest first; empty for a scalar.
  package let shape: [Int]
  /// Where its bytes lie, counted from the end of the header.
  package let byteRange: Range<Int>

  /// The product of the shape.
  package var elementCount: Int { byteRange.count / dtype.byteCount }
}

/// The bytes that a shape takes, or nil where that does not fit an Int.
package func byteCount(_ shape: [Int], _ dtype: DType) -> Int? {
  // Zero first: a shape with a zero is empty, however large its other sizes.
  if shape.contains(0) { return 0 }
  var count = dtype.byteCount
  for size in shape {
    let (product, overflow) = count.multipliedReportingOverflow(by: size)
    if overflow { return nil }
    count = product
  }
  return count
}
