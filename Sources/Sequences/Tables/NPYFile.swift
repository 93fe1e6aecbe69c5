import Files
import Problems

/// Arrays in NumPy's `.npy` form, versions 1 to 3: a magic number, a header in the notation of a Python dictionary, and
/// the values one after the other ("A Simple File Format for NumPy Arrays", NEP 1).
///
/// One dimension is a column, two are rows and columns, in C or Fortran order. Values are whole numbers, floats of 16, 32
/// or 64 bits or truth values, in either byte order; they become the nearest Double.
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

  /// Whether a file is to be read as an array: it is one, or is called one and is no text.
  static func isMeant(_ bytes: [UInt8], name: String) -> Bool {
    isNPY(bytes) || name.lowercased().hasSuffix(".npy") && FileKind(bytes) != nil
  }

  /// The array of the bytes of a file that errors call `name`. Another form, another length than the header says, and
  /// infinite values are errors with exit code 65.
  init(_ bytes: [UInt8], name: String) throws(Problem) {
    let (text, start) = try NPYFile.header(bytes, name)
    let header = try NPYHeader(text, name: name)
    let (count, overflows) = header.rows.multipliedReportingOverflow(by: header.columns)
    let (size, overflowsAgain) = count.multipliedReportingOverflow(by: header.element.bytes)
    guard !overflows, !overflowsAgain, size == bytes.count - start else {
      throw .data(
        "array is not as long as its header says — expected \(header.rows) × \(header.columns) values of "
          + "\(header.element.bytes) bytes, got \(bytes.count - start) bytes (\(name))",
        hint: !overflows && !overflowsAgain && bytes.dropFirst(start).dropFirst(size).starts(with: NPYFile.magic)
          ? "several arrays were saved into one file: save one alone with numpy.save"
          : "the file is cut off or was written over: save the array anew with numpy.save")
    }
    guard count > 0 else { throw .data("array is empty — expected at least one row, got none (\(name))") }
    (rows, columns) = (header.rows, header.columns)
    values = try NPYFile.values(bytes, from: start, header, name)
  }

  private static func values(
    _ bytes: [UInt8], from start: Int, _ header: NPYHeader, _ name: String
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
    func malformed(_ expected: String, _ got: String, _ hint: String? = nil) -> Problem {
      .data("not an array of NumPy — expected \(expected), got \(got) (\(name))", hint: hint)
    }
    guard isNPY(bytes), bytes.count >= 12 else {
      let kind = FileKind(bytes)
      throw malformed(
        "its magic number and a version", isNPY(bytes) ? "\(bytes.count) bytes" : kind?.name ?? "something else",
        "save one array alone: numpy.save(\"x.npy\", array)")
    }
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
}
