import Problems

/// Arrays in NumPy's `.npy` form, versions 1 to 3: a magic number, a header in the notation of a Python dictionary, and
/// the values one after the other ("A Simple File Format for NumPy Arrays", NEP 1).
///
/// One dimension is a column, two are rows and columns, in C or Fortran order. Values are whole numbers, floats of 32 or
/// 64 bits or truth values, in either byte order; they become the nearest Double.
struct NPYFile {
  /// Rows.
  let rows: Int
  /// Columns.
  let columns: Int
  /// [rows, columns] row-major; NaN where the array has it.
  let values: [Double]

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Whether bytes begin as no text in UTF-8 can.
  static func isNPY(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

  /// The array of the bytes of a file that errors call `name`. Another form, another length than the header says, and
  /// infinite values are errors with exit code 65.
  init(_ bytes: [UInt8], name: String) throws(Problem) {
    let (text, start) = try NPYFile.header(bytes, name)
    let header = try Header(text, name: name)
    let (count, overflows) = header.rows.multipliedReportingOverflow(by: header.columns)
    let (size, overflowsAgain) = count.multipliedReportingOverflow(by: header.element.bytes)
    guard !overflows, !overflowsAgain, size == bytes.count - start else {
      throw .data(
        "array is not as long as its header says — expected \(header.rows) × \(header.columns) values of "
          + "\(header.element.bytes) bytes, got \(bytes.count - start) bytes (\(name))")
    }
    guard count > 0 else { throw .data("array is empty — expected at least one row, got none (\(name))") }
    (rows, columns) = (header.rows, header.columns)
    values = try NPYFile.values(bytes, from: start, header, name)
  }

  private static func values(
    _ bytes: [UInt8], from start: Int, _ header: Header, _ name: String
  ) throws(Problem) -> [Double] {
    let (rows, columns, element) = (header.rows, header.columns, header.element)
    var values = [Double](repeating: 0, count: rows * columns)
    for place in values.indices {
      let (row, column) = place.quotientAndRemainder(dividingBy: columns)
      let number = header.isFortranOrder ? column * rows + row : place
      let value = element.value(bytes, at: start + number * element.bytes)
      guard !value.isInfinite else {
        throw .data(
          "value is infinite — expected finite numbers, got \(value) (\(name), row \(row + 1), column "
            + "\(column))")
      }
      values[place] = value
    }
    return values
  }

  /// The header's text, and where the values begin.
  private static func header(_ bytes: [UInt8], _ name: String) throws(Problem) -> (text: String, end: Int) {
    func malformed(_ expected: String, _ got: String) -> Problem {
      .data("not an array of NumPy — expected \(expected), got \(got) (\(name))")
    }
    guard isNPY(bytes), bytes.count >= 12 else { throw malformed("its magic number and a version", "something else") }
    guard (1...3).contains(bytes[6]), bytes[7] == 0 else {
      throw malformed("version 1.0, 2.0 or 3.0", "\(bytes[6]).\(bytes[7])")
    }
    let start = bytes[6] == 1 ? 10 : 12
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - start else {
      throw malformed("a header of \(length) bytes", "\(bytes.count - start) bytes")
    }
    return (String(decoding: bytes[start..<start + length], as: UTF8.self), start + length)
  }

  // MARK: Header

  /// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`
  private struct Header {
    let rows: Int
    let columns: Int
    let isFortranOrder: Bool
    let element: Element

    init(_ text: String, name: String) throws(Problem) {
      let form =
        /\{ *'descr' *: *'([<>|=]?[a-z]\d{1,2})' *, *'fortran_order' *: *(True|False) *, *'shape' *: *\(([\d, ]*)\) *,? *\} *\n?/
      guard let found = try? form.wholeMatch(in: text) else {
        throw .data(
          "header of the array — expected the keys descr, fortran_order and shape as NumPy writes them, got "
            + "\(quoted(text)) (\(name))")
      }
      guard let element = Element(String(found.1)) else {
        throw .data(
          "values of the array — expected f4, f8, b1 or whole numbers of 1 to 8 bytes, got \(quoted(String(found.1))) "
            + "(\(name))", hint: "save it as float32: numpy.save(path, array.astype(numpy.float32))")
      }
      let sizes = found.3.split(whereSeparator: { $0 == "," || $0 == " " }).map { Int($0) }
      guard (1...2).contains(sizes.count), let rows = sizes[0], let columns = sizes.count == 2 ? sizes[1] : 1 else {
        throw .data("shape of the array — expected one dimension or two, got (\(found.3)) (\(name))")
      }
      (self.rows, self.columns, self.element) = (rows, columns, element)
      isFortranOrder = found.2 == "True"
    }
  }

  // MARK: Values

  private struct Element {
    let kind: String
    let isBigEndian: Bool
    var bytes: Int { Int(kind.dropFirst())! }

    init?(_ text: String) {
      kind = String(text.drop { "<>|=".contains($0) })
      isBigEndian = text.hasPrefix(">")
      let known = ["f4", "f8", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
      guard known.contains(kind), kind.hasSuffix("1") || text.hasPrefix("<") || text.hasPrefix(">") else { return nil }
    }

    func value(_ bytes: [UInt8], at place: Int) -> Double {
      func read<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer {
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: type) }
        return isBigEndian ? Integer(bigEndian: value) : Integer(littleEndian: value)
      }
      return switch kind {
      case "f4": Double(Float(bitPattern: read(UInt32.self)))
      case "f8": Double(bitPattern: read(UInt64.self))
      case "i1": Double(read(Int8.self))
      case "i2": Double(read(Int16.self))
      case "i4": Double(read(Int32.self))
      case "i8": Double(read(Int64.self))
      case "u2": Double(read(UInt16.self))
      case "u4": Double(read(UInt32.self))
      case "u8": Double(read(UInt64.self))
      default: Double(read(UInt8.self))
      }
    }
  }
}
