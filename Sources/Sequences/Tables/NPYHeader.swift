import Problems

/// The header of an array of NumPy, a dictionary of Python with three keys:
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`
struct NPYHeader {
  let rows: Int
  let columns: Int
  let isFortranOrder: Bool
  let element: NPYElement

  /// Another dictionary, values that are no numbers, and other than one or two dimensions are errors with exit code 65.
  init(_ text: String, name: String) throws(Problem) {
    let text = text.replacing("\"", with: "'").trimmingSpace
    let keys = text.matches(of: /'(\w+)' *:/).map { String($0.1) }
    guard text.hasPrefix("{"), text.hasSuffix("}"), keys.sorted() == ["descr", "fortran_order", "shape"],
      let order = text.firstMatch(of: /'fortran_order' *: *(True|False) *[,}]/),
      // Python 2 writes numbers that were long ones with an L.
      let shape = text.firstMatch(of: /'shape' *: *\(([\dL, ]*)\) *[,}]/)
    else { throw NPYHeader.malformed(text, name) }
    if let field = text.firstMatch(of: /'descr' *: *\[ *\( *'([^']*)'/) { throw NPYHeader.structured(field.1, name) }
    guard let descr = text.firstMatch(of: /'descr' *: *'([<>|=]?[A-Za-z]\d*(?:\[[^\]']*\])?)' *[,}]/) else {
      throw NPYHeader.malformed(text, name)
    }
    guard let element = NPYElement(String(descr.1)) else { throw NPYHeader.noNumbers(String(descr.1), name) }
    let sizes = shape.1.split(whereSeparator: { $0 == "," || $0 == " " }).map { size in
      Int(size.last == "L" ? size.dropLast() : size)
    }
    guard (1...2).contains(sizes.count), let rows = sizes[0], let columns = sizes.count == 2 ? sizes[1] : 1 else {
      throw .data(
        "shape of the array — expected one dimension or two, got (\(shape.1)) (\(name))",
        hint: sizes.count > 2
          ? "make it rows and columns: numpy.save(path, array.reshape(len(array), -1))"
          : "a row is a timestep: a single number is no series")
    }
    (self.rows, self.columns, self.element) = (rows, columns, element)
    isFortranOrder = order.1 == "True"
  }

  private static func malformed(_ text: String, _ name: String) -> Problem {
    .data(
      "header of the array — expected the keys descr, fortran_order and shape as NumPy writes them, got "
        + "\(quoted(text)) (\(name))")
  }

  private static func structured(_ field: Substring, _ name: String) -> Problem {
    .data(
      "values of the array — expected numbers, got the fields of a structured array (\(name))",
      hint:
        "save one field, such as numpy.save(path, array['\(String(quoted(String(field)).dropFirst().dropLast()))']), "
        + "or all as CSV: pandas.DataFrame(array).to_csv(path, index=False)")
  }

  /// What values are that are none of the numbers that are read, by the letter of their type.
  private static func noNumbers(_ descr: String, _ name: String) -> Problem {
    let asNumbers = "save them as numbers: numpy.save(path, array.astype(numpy.float64))"
    let seconds = "save them as seconds: numpy.save(path, array.astype('datetime64[s]').astype(numpy.int64))"
    let (kind, hint): (String, String) =
      switch descr.first(where: \.isLetter) {
      case "O": ("Python objects", "if they are numbers, " + asNumbers)
      case "M": ("dates (datetime64)", seconds)
      case "m": ("durations (timedelta64)", seconds.replacing("datetime64", with: "timedelta64"))
      case "U", "S", "a", "T": ("texts", "if they are numbers, " + asNumbers)
      case "c": ("complex numbers", "save real parts or sizes: numpy.save(path, array.real) or numpy.abs(array)")
      case "V": ("bytes without a type (void)", "say what they are: numpy.save(path, array.view(numpy.float32))")
      default: ("values of another size", asNumbers)
      }
    return .data(
      "values of the array — expected f2, f4, f8, b1 or whole numbers of 1 to 8 bytes, got \(kind), \(quoted(descr)) "
        + "(\(name))", hint: hint)
  }
}

extension String {
  fileprivate var trimmingSpace: String {
    var text = self[...]
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}

/// A number of an array.
struct NPYElement {
  private let kind: String
  private let isBigEndian: Bool
  var bytes: Int { Int(kind.dropFirst())! }

  /// From `<f4` and the like; nil for values that are not read.
  init?(_ text: String) {
    kind = String(text.drop { "<>|=".contains($0) })
    isBigEndian = text.hasPrefix(">")
    let known = ["f2", "f4", "f8", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
    guard known.contains(kind), kind.hasSuffix("1") || text.hasPrefix("<") || text.hasPrefix(">") else { return nil }
  }

  func value(_ bytes: [UInt8], at place: Int) -> Double {
    func read<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer {
      let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: type) }
      return isBigEndian ? Integer(bigEndian: value) : Integer(littleEndian: value)
    }
    return switch kind {
    case "f2": NPYElement.half(read(UInt16.self))
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

  /// IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. (Swift has no Float16 on every processor.)
  private static func half(_ bits: UInt16) -> Double {
    let (exponent, fraction) = (Int(bits >> 10 & 0x1F), Double(bits & 0x3FF))
    let size: Double =
      switch exponent {
      case 0: fraction * 0x1p-24
      case 31: fraction == 0 ? .infinity : .nan
      default: Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction * 0x1p-10)
      }
    return bits & 0x8000 == 0 ? size : -size
  }
}
