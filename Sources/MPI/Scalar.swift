internal import CMPI

/// The MPI datatype of an element (MPI 4.0 §3.2.2). Only this module makes values of it.
public struct Datatype: Sendable {
  let handle: CMPI_Datatype
}

/// A number that MPI can send and reduce (MPI 4.0 §3.2.2, §6.9.2).
public protocol Scalar: BitwiseCopyable, Sendable {
  /// The MPI datatype of the same size and representation.
  static var datatype: Datatype { get }

  /// Zero.
  init()
}

extension Float: Scalar {
  /// `MPI_FLOAT`
  public static var datatype: Datatype { Datatype(handle: MPI_FLOAT) }
}

extension Double: Scalar {
  /// `MPI_DOUBLE`
  public static var datatype: Datatype { Datatype(handle: MPI_DOUBLE) }
}

extension UInt8: Scalar {
  /// `MPI_UINT8_T`
  public static var datatype: Datatype { Datatype(handle: MPI_UINT8_T) }
}

extension UInt16: Scalar {
  /// `MPI_UINT16_T`
  public static var datatype: Datatype { Datatype(handle: MPI_UINT16_T) }
}

extension Int32: Scalar {
  /// `MPI_INT32_T`
  public static var datatype: Datatype { Datatype(handle: MPI_INT32_T) }
}

extension UInt32: Scalar {
  /// `MPI_UINT32_T`
  public static var datatype: Datatype { Datatype(handle: MPI_UINT32_T) }
}

extension Int64: Scalar {
  /// `MPI_INT64_T`
  public static var datatype: Datatype { Datatype(handle: MPI_INT64_T) }
}

extension UInt64: Scalar {
  /// `MPI_UINT64_T`
  public static var datatype: Datatype { Datatype(handle: MPI_UINT64_T) }
}

#if _pointerBitWidth(_64)
  extension Int: Scalar {
    /// `MPI_INT64_T`
    public static var datatype: Datatype { Datatype(handle: MPI_INT64_T) }
  }
#endif

/// A predefined reduction (MPI 4.0 §6.9.2). The element type is part of its type: a bitwise AND of floating-point
/// numbers, which MPI would refuse at run time, does not compile.
public struct Operation<Element: Scalar>: Sendable {
  let handle: CMPI_Op

  /// `MPI_SUM`. The library chooses the order of summation: floating-point sums may differ in their last bits between
  /// numbers of ranks.
  public static var sum: Operation { Operation(handle: MPI_SUM) }

  /// `MPI_PROD`
  public static var product: Operation { Operation(handle: MPI_PROD) }

  /// `MPI_MAX`
  public static var maximum: Operation { Operation(handle: MPI_MAX) }

  /// `MPI_MIN`
  public static var minimum: Operation { Operation(handle: MPI_MIN) }
}

extension Operation where Element: FixedWidthInteger {
  /// `MPI_LAND`: 1 if no rank has 0, otherwise 0.
  public static var logicalAnd: Operation { Operation(handle: MPI_LAND) }

  /// `MPI_LOR`: 0 if every rank has 0, otherwise 1.
  public static var logicalOr: Operation { Operation(handle: MPI_LOR) }

  /// `MPI_BAND`
  public static var bitwiseAnd: Operation { Operation(handle: MPI_BAND) }

  /// `MPI_BOR`
  public static var bitwiseOr: Operation { Operation(handle: MPI_BOR) }
}
